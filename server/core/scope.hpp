#pragma once

#include <boost/system/result.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "config/project.hpp"
#include "envelope/auth.hpp"
#include "envelope/dsn.hpp"
#include "server/core/reason.hpp"

namespace profile_relay::server {

/// Which project a request writes to, by which key. Keeps the project of its snapshot alive, so a reload in
/// the middle of a request changes nothing for it.
struct project_scope {
  std::shared_ptr<const config::project> project;
  config::public_key const* key = nullptr;  ///< points into `project`
};

/// The origin of a request: header `Origin`, else `Referer`, http and https only, in any case of
/// letters; absent otherwise (contract 5.2).
std::optional<std::string_view> request_origin(std::optional<std::string_view> origin,
                                               std::optional<std::string_view> referer);

/// The 403 rows of contract 5.2: key unknown, disabled or of another project; project disabled; origin not
/// allowed. A request without an origin passes the origin check.
boost::system::result<project_scope, reason> authorize(config::project_snapshot const& projects,
                                                       std::uint64_t project_id, std::string_view public_key,
                                                       std::optional<std::string_view> origin);

/// The rows about an envelope header that contradicts its request (contract 1.3, 5.2). Absent = no
/// contradiction. `what` names the key that differs.
struct header_claims {
  std::optional<envelope::dsn> const& dsn;
  std::optional<std::string> const& origin;
};
std::optional<std::string_view> contradiction(header_claims claims, std::uint64_t project_id,
                                              std::string_view public_key,
                                              std::optional<std::string_view> origin);

}  // namespace profile_relay::server
