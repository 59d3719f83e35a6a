#pragma once

#include <algorithm>
#include <string_view>

namespace profile_relay::server {

// The characters that RFC 9110, 5.6 and RFC 3986 build HTTP's syntax from.

inline bool is_digit(char c) { return c >= '0' && c <= '9'; }

inline bool is_alphanumeric(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// May stand in the name of a field, an extension or a method.
inline bool is_token_char(char c) {
  return is_alphanumeric(c) || std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

/// May stand in the value of a field: no control characters but the tab; bytes above 127 are opaque.
inline bool is_field_char(char c) {
  auto const u = static_cast<unsigned char>(c);
  return c == '\t' || (u >= 0x20 && u != 0x7f);
}

inline void skip_blanks(std::string_view& text) {
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
}

/// Takes off the token that `text` starts with; empty = none.
inline std::string_view take_token(std::string_view& text) {
  auto const end = std::ranges::find_if_not(text, is_token_char);
  auto const out = text.substr(0, static_cast<std::size_t>(end - text.begin()));
  text.remove_prefix(out.size());
  return out;
}

}  // namespace profile_relay::server
