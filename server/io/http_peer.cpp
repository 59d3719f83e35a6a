#include "server/io/http_peer.hpp"

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>

namespace profile_relay::server {

namespace ip = boost::asio::ip;

namespace {

std::string_view trim(std::string_view s) {
  while (!s.empty() && (s.front() == ' ' || s.front() == '\t')) s.remove_prefix(1);
  while (!s.empty() && (s.back() == ' ' || s.back() == '\t')) s.remove_suffix(1);
  return s;
}

std::optional<ip::address> parse_address(std::string_view text) {
  boost::system::error_code ec;
  auto const a = ip::make_address(std::string(text), ec);
  if (ec) return std::nullopt;
  // A v4 client on a v6 socket is still the v4 client.
  if (a.is_v6() && a.to_v6().is_v4_mapped()) return ip::make_address_v4(ip::v4_mapped, a.to_v6());
  return a;
}

}  // namespace

struct trusted_proxies::networks {
  std::vector<ip::network_v4> v4;
  std::vector<ip::network_v6> v6;
};

trusted_proxies::trusted_proxies() : networks_(std::make_shared<networks>()) {}

std::optional<trusted_proxies> trusted_proxies::parse(std::vector<std::string> const& texts,
                                                      std::string& bad) {
  auto out = std::make_shared<networks>();
  for (auto const& text : texts) {
    boost::system::error_code ec4, ec6;
    auto const cidr4 = ip::make_network_v4(text, ec4);
    if (!ec4) {
      out->v4.push_back(cidr4.canonical());
      continue;
    }
    auto const cidr6 = ip::make_network_v6(text, ec6);
    if (!ec6) {
      out->v6.push_back(cidr6.canonical());
      continue;
    }
    auto const address = parse_address(text);
    if (!address) {
      bad = text;
      return std::nullopt;
    }
    if (address->is_v4())
      out->v4.emplace_back(address->to_v4(), 32);
    else
      out->v6.emplace_back(address->to_v6(), 128);
  }
  trusted_proxies result;
  result.networks_ = std::move(out);
  return result;
}

bool trusted_proxies::contains(std::string_view text) const {
  auto const address = parse_address(text);
  if (!address) return false;
  if (address->is_v4()) {
    auto const bits = address->to_v4().to_uint();
    return std::ranges::any_of(networks_->v4, [bits](ip::network_v4 const& n) {
      return (bits & n.netmask().to_uint()) == n.network().to_uint();
    });
  }
  auto const v6 = address->to_v6();
  return std::ranges::any_of(networks_->v6, [&v6](ip::network_v6 const& n) {
    return ip::network_v6(v6, n.prefix_length()).canonical() == n;
  });
}

std::string client_address(std::string_view peer, std::optional<std::string_view> forwarded_for,
                           trusted_proxies const& proxies) {
  if (forwarded_for && proxies.contains(peer)) {
    auto const first = trim(forwarded_for->substr(0, forwarded_for->find(',')));
    if (auto const a = parse_address(first)) return a->to_string();
  }
  auto const own = parse_address(peer);
  return own ? own->to_string() : std::string(peer);
}

}  // namespace profile_relay::server
