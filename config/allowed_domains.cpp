#include "config/allowed_domains.hpp"

#include <algorithm>

#include "config/scalar_text.hpp"

namespace profile_relay::config {
namespace {

/// The three parts of an origin or a pattern, in lowercase; empty = not given.
struct origin_parts {
  std::string scheme;
  std::string host;
  std::string port;
};

origin_parts split(std::string_view text) {
  std::string const lower = to_lower(text);
  std::string_view rest = lower;
  origin_parts out;
  if (auto const colon = rest.find("://"); colon != std::string_view::npos) {
    out.scheme = rest.substr(0, colon);
    rest.remove_prefix(colon + 3);
  }
  rest = rest.substr(0, rest.find_first_of("/?#"));
  if (auto const at = rest.rfind('@'); at != std::string_view::npos) rest.remove_prefix(at + 1);
  // The colons of an IPv6 host stand in brackets.
  auto const bracket = rest.rfind(']');
  auto const colon = rest.find(':', bracket == std::string_view::npos ? 0 : bracket);
  out.host = rest.substr(0, colon);
  if (colon != std::string_view::npos) out.port = rest.substr(colon + 1);
  return out;
}

bool is_any(std::string_view part) { return part.empty() || part == "*"; }

bool host_matches(std::string_view pattern, std::string_view host) {
  if (is_any(pattern) || pattern == host) return true;
  if (!pattern.starts_with("*.")) return false;
  auto const domain = pattern.substr(2);
  return host == domain || host.ends_with(pattern.substr(1));
}

std::string_view effective_port(origin_parts const& origin) {
  if (!origin.port.empty()) return origin.port;
  if (origin.scheme == "https") return "443";
  return origin.scheme == "http" ? "80" : "";
}

}  // namespace

bool origin_allowed(std::span<const std::string> patterns, std::optional<std::string_view> origin) {
  if (!origin) return true;
  auto const given = split(*origin);
  return std::any_of(patterns.begin(), patterns.end(), [&](std::string const& text) {
    if (text.empty()) return false;
    auto const pattern = split(text);
    return (is_any(pattern.scheme) || pattern.scheme == given.scheme) &&
           (is_any(pattern.port) || pattern.port == effective_port(given)) &&
           host_matches(pattern.host, given.host);
  });
}

}  // namespace profile_relay::config
