#include "profile/json_text.hpp"

#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>

namespace profile_relay::profile::json_text {
namespace {

bool needs_escape(unsigned char c) { return c < 0x20 || c == '"' || c == '\\'; }

/// True when one of the eight bytes needs an escape; exact for bytes below 0x80, never true because of
/// others.
bool any_needs_escape(std::uint64_t w) {
  constexpr std::uint64_t ones = 0x0101'0101'0101'0101, high = 0x8080'8080'8080'8080;
  const auto has_zero = [](std::uint64_t v) { return (v - ones) & ~v & high; };
  const auto below_space = (w - ones * 0x20) & ~w & high;
  return (below_space | has_zero(w ^ (ones * '"')) | has_zero(w ^ (ones * '\\'))) != 0;
}

std::size_t plain_prefix(std::string_view text) {
  std::size_t i = 0;
  for (; i + 8 <= text.size(); i += 8) {
    std::uint64_t w;
    std::memcpy(&w, text.data() + i, 8);
    if (any_needs_escape(w)) break;
  }
  while (i < text.size() && !needs_escape(static_cast<unsigned char>(text[i]))) ++i;
  return i;
}

void append_escape(std::string& out, unsigned char c) {
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\b':
      out += "\\b";
      return;
    case '\f':
      out += "\\f";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      break;
  }
  constexpr char hex[] = "0123456789abcdef";
  out += "\\u00";
  out += hex[c >> 4];
  out += hex[c & 0xf];
}

}  // namespace

void append_string(std::string& out, std::string_view text) {
  out += '"';
  while (true) {
    const auto plain = plain_prefix(text);
    out.append(text.data(), plain);
    if (plain == text.size()) break;
    append_escape(out, static_cast<unsigned char>(text[plain]));
    text.remove_prefix(plain + 1);
  }
  out += '"';
}

void append_number(std::string& out, double v) {
  char text[400];  // the longest fixed form, of the smallest denormals, has 327 characters
  const auto form = std::fabs(v) < 1e15 ? std::chars_format::fixed : std::chars_format::scientific;
  const auto end = std::to_chars(text, text + sizeof text, v, form).ptr;
  const std::string_view digits(text, static_cast<std::size_t>(end - text));
  out.append(digits);
  if (form == std::chars_format::fixed && digits.find('.') == std::string_view::npos) out += ".0";
}

void append_uint(std::string& out, std::uint64_t v) {
  char text[20];
  out.append(text, static_cast<std::size_t>(std::to_chars(text, text + sizeof text, v).ptr - text));
}

void append_int(std::string& out, std::int64_t v) {
  char text[20];
  out.append(text, static_cast<std::size_t>(std::to_chars(text, text + sizeof text, v).ptr - text));
}

void append_address(std::string& out, std::uint64_t v) {
  char text[16];
  const auto end = std::to_chars(text, text + sizeof text, v, 16).ptr;
  out += "\"0x";
  out.append(text, static_cast<std::size_t>(end - text));
  out += '"';
}

}  // namespace profile_relay::profile::json_text
