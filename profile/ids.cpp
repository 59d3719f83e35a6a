#include "profile/ids.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

#include "envelope/wire_text.hpp"

namespace profile_relay::profile {
namespace {

using envelope::is_hex;
using envelope::to_lower;

constexpr std::size_t uuid_digits = 32;

/// 8-4-4-4-12 out of 32 digits.
std::string with_dashes(std::string_view digits) {
  std::string out;
  out.reserve(48);
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i == 8 || i == 12 || i == 16 || i == 20) out += '-';
    out += digits[i];
  }
  return out;
}

/// Takes the 32 digits off the front of `text`: plain, or with dashes in the four places of a UUID.
std::optional<sample_v2::hex_id> take_uuid(std::string_view& text) {
  sample_v2::hex_id digits{};
  const bool dashed = text.size() > 8 && text[8] == '-';
  std::size_t at = 0;
  for (std::size_t i = 0; i < uuid_digits; ++i) {
    if (dashed && (i == 8 || i == 12 || i == 16 || i == 20)) {
      if (at >= text.size() || text[at++] != '-') return std::nullopt;
    }
    if (at >= text.size() || !is_hex(text[at])) return std::nullopt;
    digits[i] = to_lower(text[at++]);
  }
  text.remove_prefix(at);
  return digits;
}

/// "" for age 0, "-1" and the like otherwise; absent if it is no age.
std::optional<std::string> age_suffix(std::string_view digits) {
  if (digits.size() > 8 || !std::all_of(digits.begin(), digits.end(), [](char c) { return is_hex(c); }))
    return std::nullopt;
  const auto first = digits.find_first_not_of('0');
  if (first == std::string_view::npos) return std::string();
  std::string out = "-";
  for (const char c : digits.substr(first)) out += to_lower(c);
  return out;
}

}  // namespace

std::optional<sample_v2::hex_id> parse_hex_id(std::string_view text) {
  sample_v2::hex_id id{};
  std::size_t n = 0;
  for (const char c : text) {
    if (c == '-') continue;
    if (!is_hex(c) || n == id.size()) return std::nullopt;
    id[n++] = to_lower(c);
  }
  if (n != id.size()) return std::nullopt;
  return id;
}

std::optional<std::string> canonical_uuid(std::string_view text) {
  const auto digits = take_uuid(text);
  if (!digits || !text.empty()) return std::nullopt;
  return with_dashes(sample_v2::text_of(*digits));
}

std::optional<std::string> canonical_debug_id(std::string_view text) {
  const auto digits = take_uuid(text);
  if (!digits) return std::nullopt;
  if (!text.empty() && text.front() == '-') {
    text.remove_prefix(1);
    if (text.empty()) return std::nullopt;
  }
  const auto age = age_suffix(text);
  if (!age) return std::nullopt;
  return with_dashes(sample_v2::text_of(*digits)) + *age;
}

std::optional<std::string> debug_id_of_build_id(std::string_view build_id) {
  if (build_id.empty() || build_id == "missing" || build_id == "system") return std::nullopt;
  if (build_id.size() == uuid_digits + 1 &&
      std::all_of(build_id.begin(), build_id.end(), [](char c) { return is_hex(c); }))
    return canonical_debug_id(build_id);

  // Where each byte of the UUID's text comes from: its first three fields are little-endian.
  constexpr std::array<std::size_t, 16> order{3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
  constexpr char hex[] = "0123456789abcdef";
  std::string digits;
  for (const auto i : order) {
    const auto b = i < build_id.size() ? static_cast<std::uint8_t>(build_id[i]) : std::uint8_t{0};
    digits += hex[b >> 4];
    digits += hex[b & 0xf];
  }
  return with_dashes(digits);
}

}  // namespace profile_relay::profile
