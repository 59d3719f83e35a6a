#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/project.hpp"
#include "envelope/raw_chunk.hpp"
#include "server/core/rate_counters.hpp"
#include "server/core/scope.hpp"

namespace profile_relay::server {

/// One limit in force, as a client is told of it.
struct rate_limit {
  std::uint32_t retry_s = 0;            ///< from the moment of the check; at least 1
  std::vector<std::string> categories;  ///< as the quota names them; empty = all
  config::quota_scope scope = config::quota_scope::organization;
  std::string reason_code;  ///< "" = none
  std::string quota_id;     ///< for the log; "" = none
};
using rate_limits = std::vector<rate_limit>;

/// Decides which quotas of a project refuse a chunk (contract 6). Pure but for its counters.
class rate_limiter {
 public:
  using act = rate_counters::act;

  /// `max_retry_s` is processing.max_rate_limit: no client is told to wait longer for the end of a window.
  rate_limiter(rate_counters& counters, std::uint32_t max_retry_s)
      : counters_(counters), max_retry_s_(max_retry_s) {}

  /// The limits that refuse one chunk of `category` now; empty = it may go on. A quota of limit 0 refuses
  /// without counting, and while one does nothing else is counted or looked at. `act::count` counts the
  /// chunk, unless it is refused. Windows are fixed and aligned to the Unix epoch.
  rate_limits check(project_scope const& scope, envelope::data_category category, std::uint64_t now_s,
                    act what) const;

 private:
  rate_counters& counters_;
  std::uint32_t max_retry_s_;
};

/// The limit that holds longest; of equals the first. `limits` must not be empty.
rate_limit const& longest(rate_limits const& limits);

/// Adds limits to those that a request has met: of equal categories, scope and reason the longer one stays.
void merge(rate_limits& into, rate_limits const& more);

/// The value of X-Sentry-Rate-Limits: `<seconds>:<category;category>:<scope>[:<reason>]`, joined by ", ". In
/// a reason, what would end the field or the line becomes `_`. At most 4 KiB, since clients bound the heads
/// they read: limits that do not fit are left out, the longest-lasting first to stay.
std::string header_text(rate_limits const& limits);

}  // namespace profile_relay::server
