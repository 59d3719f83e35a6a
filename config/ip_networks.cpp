#include "config/ip_networks.hpp"

#include <arpa/inet.h>

#include <algorithm>

#include "config/scalar_text.hpp"

namespace profile_relay::config {
namespace {

constexpr std::size_t mapped_bytes = 12;  // ::ffff:0:0/96, in front of an IPv4 address
constexpr std::array<std::uint8_t, mapped_bytes> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

}  // namespace

std::optional<ip_address> ip_address::parse(std::string_view text) {
  // inet_pton reads up to the first NUL and would take what stands before it for the whole.
  if (text.find('\0') != std::string_view::npos) return std::nullopt;
  std::string const copy(text);
  ip_address out;
  if (inet_pton(AF_INET6, copy.c_str(), out.bytes_.data()) == 1) return out;
  if (inet_pton(AF_INET, copy.c_str(), out.bytes_.data() + mapped_bytes) != 1) return std::nullopt;
  std::ranges::copy(mapped, out.bytes_.begin());
  return out;
}

bool ip_address::is_v4() const { return std::equal(mapped.begin(), mapped.end(), bytes_.begin()); }

std::string ip_address::text() const {
  std::array<char, INET6_ADDRSTRLEN> buffer{};
  if (is_v4())
    inet_ntop(AF_INET, bytes_.data() + mapped_bytes, buffer.data(), buffer.size());
  else
    inet_ntop(AF_INET6, bytes_.data(), buffer.data(), buffer.size());
  return buffer.data();
}

std::optional<ip_network> ip_network::parse(std::string_view text) {
  auto const slash = text.find('/');
  auto const address = text.substr(0, slash);
  auto const first = ip_address::parse(address);
  if (!first) return std::nullopt;
  ip_network out;
  out.first_ = *first;
  if (slash == std::string_view::npos) return out;
  bool const v4 = address.find(':') == std::string_view::npos;
  auto const prefix = parse_unsigned(text.substr(slash + 1));
  if (prefix.problem || prefix.value > (v4 ? 32u : 128u)) return std::nullopt;
  out.prefix_ = static_cast<std::size_t>(prefix.value) + (v4 ? 8 * mapped_bytes : 0);
  return out;
}

bool ip_network::contains(ip_address const& address) const {
  if (address.is_v4() != first_.is_v4()) return false;
  auto const whole = prefix_ / 8;
  if (!std::equal(first_.bytes_.begin(), first_.bytes_.begin() + whole, address.bytes_.begin())) return false;
  auto const rest = prefix_ % 8;
  return rest == 0 || (first_.bytes_[whole] ^ address.bytes_[whole]) >> (8 - rest) == 0;
}

bool ip_networks::add(std::string_view text) {
  auto const network = ip_network::parse(text);
  if (network) networks_.push_back(*network);
  return network.has_value();
}

bool ip_networks::contains(std::string_view address) const {
  auto const found = ip_address::parse(address);
  return found && std::ranges::any_of(networks_, [&](ip_network const& n) { return n.contains(*found); });
}

}  // namespace profile_relay::config
