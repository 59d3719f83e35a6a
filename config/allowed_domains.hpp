#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace profile_relay::config {

/// Whether a project's `allowedDomains` let a request with this origin pass. Source: contract 5.2 and 10.
///
/// A request without an origin always passes; an empty list refuses every request that has one. A pattern is
/// `[scheme://]host[:port]`; a part that is missing or `*` matches anything, so `*` alone matches every
/// origin, even one that is no URL. `*.domain` matches the domain and its subdomains. Letter case means
/// nothing. The port of an origin without one is its scheme's default, because browsers leave the default
/// out. Paths are ignored (a Referer has one). What counts as the origin of a request is the caller's
/// decision.
bool origin_allowed(std::span<const std::string> patterns, std::optional<std::string_view> origin);

}  // namespace profile_relay::config
