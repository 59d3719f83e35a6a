#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "config/ip_networks.hpp"

namespace profile_relay::server {

/// The client's address: the first of `forwarded_for` when the peer is one of `proxies` (`http.trusted_proxies`,
/// contract 13), else the peer's own.
std::string client_address(std::string_view peer, std::optional<std::string_view> forwarded_for,
                           config::ip_networks const& proxies);

}  // namespace profile_relay::server
