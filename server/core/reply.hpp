#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "server/core/rate_limiter.hpp"
#include "server/core/reason.hpp"

namespace profile_relay::server {

/// What a request is answered with, apart from the headers that every reply has.
struct http_reply {
  int status = 200;
  std::string body;
  std::string content_type = "application/json";
  std::int64_t retry_after = 0;      ///< seconds, 0 = no header
  std::string allow;                 ///< for 405 and OPTIONS
  std::string rate_limits;           ///< X-Sentry-Rate-Limits, "" = no header
  std::optional<reason> refused_by;  ///< what ended the request, for log and metric
};

/// How one chunk of a request ended, its outcome record included.
struct chunk_fate {
  std::optional<reason> rejected;  ///< absent = delivered or spooled
  bool unavailable = false;  ///< the chunk's message or its outcome found no place: rejected says the rest
};

/// The answer to a request whose chunks have all ended (contract 5.5, 13 "several chunks with different
/// ends"): 503 if any found no place; 200 if any was accepted or rejected by content, or there was none;
/// otherwise the status that all were refused with (500 before 429 before 413). `limits` are those that any
/// chunk met: they go into the reply's header whatever its status, since SDKs read it on any, and the longest
/// is the Retry-After of a 429.
http_reply reply_to(std::span<const chunk_fate> fates, std::optional<std::string_view> event_id,
                    rate_limits const& limits = {});

/// The reply of a request that ends by `r` alone. `cause` is the second line of the chain, left out when
/// empty.
http_reply error_reply(reason r, std::string_view cause = {});

}  // namespace profile_relay::server
