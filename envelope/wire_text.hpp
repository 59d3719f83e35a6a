#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace profile_relay::envelope {

/// ASCII lower case; every other character as it is. Never depends on the locale.
constexpr char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

constexpr bool is_hex(char c) { return is_digit(c) || (to_lower(c) >= 'a' && to_lower(c) <= 'f'); }

/// Equality without regard to ASCII case: content types, header prefixes, URL schemes.
constexpr bool iequals(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (to_lower(a[i]) != to_lower(b[i])) return false;
  }
  return true;
}

/// 32 hex digits, bare or with dashes as 8-4-4-4-12, in either case: as 32 lowercase digits. Anything
/// else: absent.
std::optional<std::string> parse_uuid(std::string_view text);

/// True for `2026-07-01T12:34:56[.789](Z|+01:00)`; a blank or "t" may stand for "T", and the offset's
/// colon may be missing, as Relay's parser allows. Looks at the form and the range of each part, not at
/// the calendar.
bool is_rfc3339(std::string_view text);

}  // namespace profile_relay::envelope
