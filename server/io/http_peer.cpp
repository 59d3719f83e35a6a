#include "server/io/http_peer.hpp"

namespace profile_relay::server {

namespace {

std::string_view trim(std::string_view s) {
  while (!s.empty() && (s.front() == ' ' || s.front() == '\t')) s.remove_prefix(1);
  while (!s.empty() && (s.back() == ' ' || s.back() == '\t')) s.remove_suffix(1);
  return s;
}

}  // namespace

std::string client_address(std::string_view peer, std::optional<std::string_view> forwarded_for,
                           config::ip_networks const& proxies) {
  // The zone of a link-local peer ("fe80::1%eth0") means something on this machine only.
  peer = peer.substr(0, peer.find('%'));
  if (forwarded_for && proxies.contains(peer)) {
    auto const first = trim(forwarded_for->substr(0, forwarded_for->find(',')));
    if (auto const a = config::ip_address::parse(first)) return a->text();
  }
  auto const own = config::ip_address::parse(peer);
  return own ? own->text() : std::string(peer);
}

}  // namespace profile_relay::server
