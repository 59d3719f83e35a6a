// What an answer's headers say about waiting.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace profile_relay::sdk {

/// A longer wait counts as this: the longest quota's window, and far from where sums of times overflow.
inline constexpr std::chrono::seconds longest_limit{30 * 24 * 3600};

/// What one value of X-Sentry-Rate-Limits says (several such headers are joined by a comma first).
struct rate_limit_header {
  /// At least one entry could be read. If none could, the header counts as absent.
  bool understood = false;
  /// The longest limit that holds for profile chunks; absent if none does.
  std::optional<std::chrono::seconds> chunks;
};

/// Reads `retry:categories:scope[:reason...], ...` (profiling API, 5). An entry holds for profile chunks if its categories
/// are empty or name profile_chunk, profile_chunk_ui or all. Seconds may be fractional and are rounded up. A damaged
/// entry (no number, a negative one, no categories field) is ignored, the others count.
[[nodiscard]] rate_limit_header parse_rate_limits(std::string_view header);

/// Reads Retry-After: seconds, fractions rounded up, or a date, which is then compared with `wall_s` (seconds since
/// 1970). A date that has passed is 0. Absent if it is neither.
[[nodiscard]] std::optional<std::chrono::seconds> parse_retry_after(std::string_view header,
                                                                    std::int64_t wall_s);

}  // namespace profile_relay::sdk
