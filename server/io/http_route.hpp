#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace profile_relay::server {

/// What a listening address serves. With relay.internal_host/port set, metrics move there.
enum class http_endpoint : std::uint8_t { all, external, internal };

/// Contract 5.1.
struct http_route {
  enum class kind : std::uint8_t {
    envelope,
    live,
    ready,
    metrics,
    not_served,  ///< something Relay serves and we do not
    unknown,
  };
  kind what = kind::unknown;
  std::optional<std::uint64_t> project_id;  ///< of `envelope`; absent = not a number of 64 bits
  std::string_view query;                   ///< without "?"
};

/// Finds the route of a request target. Repeated slashes collapse, a trailing one makes no difference.
http_route find_route(std::string_view target, http_endpoint endpoint);

/// The `Allow` header of a route; empty for routes that have no method.
std::string_view allowed_methods(http_route::kind what);

}  // namespace profile_relay::server
