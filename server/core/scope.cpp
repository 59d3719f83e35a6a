#include "server/core/scope.hpp"

#include "config/allowed_domains.hpp"
#include "config/scalar_text.hpp"

namespace profile_relay::server {

namespace {

bool is_web(std::string_view url) {
  auto const end = url.find("://");
  if (end == std::string_view::npos) return false;
  auto const scheme = config::to_lower(url.substr(0, end));
  return scheme == "http" || scheme == "https";
}

}  // namespace

std::optional<std::string_view> request_origin(std::optional<std::string_view> origin,
                                               std::optional<std::string_view> referer) {
  if (origin && is_web(*origin)) return origin;
  if (referer && is_web(*referer)) return referer;
  return std::nullopt;
}

boost::system::result<project_scope, reason> authorize(config::project_snapshot const& projects,
                                                       std::uint64_t project_id, std::string_view public_key,
                                                       std::optional<std::string_view> origin) {
  auto const found = projects.find_key(public_key);
  if (!found) return reason::unknown_key;
  if (found->owner->id != project_id) return reason::wrong_project;
  if (!found->key->enabled) return reason::disabled_key;
  if (found->owner->disabled) return reason::disabled_project;
  if (!config::origin_allowed(found->owner->allowed_domains, origin)) return reason::origin_not_allowed;
  return project_scope{found->owner, found->key};
}

std::optional<std::string_view> contradiction(header_claims claims, std::uint64_t project_id,
                                              std::string_view public_key,
                                              std::optional<std::string_view> origin) {
  if (claims.dsn && (claims.dsn->project_id != project_id || claims.dsn->public_key != public_key))
    return "dsn";
  if (claims.origin && claims.origin != origin) return "origin";
  return std::nullopt;
}

}  // namespace profile_relay::server
