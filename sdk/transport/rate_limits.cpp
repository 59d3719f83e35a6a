#include "sdk/transport/rate_limits.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string>

namespace profile_relay::sdk {
namespace {

std::string_view trim(std::string_view text) {
  auto const first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// The part before `separator`, which is taken away from `text` together with it.
std::string_view take(std::string_view& text, char separator) {
  auto const end = text.find(separator);
  auto const part = text.substr(0, end);
  text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
  return trim(part);
}

std::optional<std::chrono::seconds> read_seconds(std::string_view text) {
  // from_chars also knows "inf" and "nan".
  if (text.empty() || text.front() < '0' || text.front() > '9') return std::nullopt;
  double value = 0;
  auto const* const last = text.data() + text.size();
  auto const [end, ec] = std::from_chars(text.data(), last, value, std::chars_format::fixed);
  if (end != last) return std::nullopt;
  if (ec == std::errc::result_out_of_range) return longest_limit;
  auto const bounded = std::min(std::ceil(value), static_cast<double>(longest_limit.count()));
  return std::chrono::seconds{static_cast<std::int64_t>(bounded)};
}

bool names_chunks(std::string_view categories) {
  if (categories.empty()) return true;
  while (!categories.empty()) {
    auto const name = take(categories, ';');
    if (name == "profile_chunk" || name == "profile_chunk_ui" || name == "all") return true;
  }
  return false;
}

}  // namespace

rate_limit_header parse_rate_limits(std::string_view header) {
  rate_limit_header out;
  while (!header.empty()) {
    auto entry = take(header, ',');
    auto const seconds = read_seconds(take(entry, ':'));
    // Without a second field the empty view has no place; with an empty one it points behind the colon.
    if (!seconds || entry.data() == nullptr) continue;
    out.understood = true;
    if (!names_chunks(take(entry, ':'))) continue;
    out.chunks = std::max(out.chunks.value_or(std::chrono::seconds{0}), *seconds);
  }
  return out;
}

std::optional<std::chrono::seconds> parse_retry_after(std::string_view header, std::int64_t wall_s) {
  header = trim(header);
  if (auto seconds = read_seconds(header)) return seconds;
  // curl's reader of dates takes more than dates: every HTTP date begins with the name of a day.
  if (header.empty() || header.front() < 'A' || header.front() > 'Z') return std::nullopt;
  auto const when = ::curl_getdate(std::string(header).c_str(), nullptr);
  if (when == -1) return std::nullopt;
  auto const wait = std::clamp<std::int64_t>(when - wall_s, 0, longest_limit.count());
  return std::chrono::seconds{wait};
}

}  // namespace profile_relay::sdk
