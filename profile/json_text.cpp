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

constexpr char hex_digits[] = "0123456789abcdef";

/// The letter after the backslash of a short escape; 0 = \u00xx.
char short_escape(char c) {
  switch (c) {
    case '"':
      return '"';
    case '\\':
      return '\\';
    case '\b':
      return 'b';
    case '\f':
      return 'f';
    case '\n':
      return 'n';
    case '\r':
      return 'r';
    case '\t':
      return 't';
    default:
      return 0;
  }
}

char* write_char(char* to, char c) {
  if (!needs_escape(static_cast<unsigned char>(c))) {
    *to++ = c;
    return to;
  }
  *to++ = '\\';
  if (const char letter = short_escape(c)) {
    *to++ = letter;
    return to;
  }
  const auto u = static_cast<unsigned char>(c);
  std::memcpy(to, "u00", 3);
  to[3] = hex_digits[u >> 4];
  to[4] = hex_digits[u & 0xf];
  return to + 5;
}

}  // namespace

char* write_string(char* to, std::string_view text) {
  *to++ = '"';
  const char *from = text.data(), *end = from + text.size();
  while (end - from >= 8) {
    std::uint64_t w;
    std::memcpy(&w, from, 8);
    if (any_needs_escape(w)) {
      for (const auto stop = from + 8; from != stop; ++from) to = write_char(to, *from);
    } else {
      std::memcpy(to, &w, 8);
      to += 8;
      from += 8;
    }
  }
  for (; from != end; ++from) to = write_char(to, *from);
  *to++ = '"';
  return to;
}

std::size_t string_size(std::string_view text) {
  std::size_t n = text.size() + 2;
  for (const char c : text)
    if (needs_escape(static_cast<unsigned char>(c))) n += short_escape(c) != 0 ? 1U : 5U;
  return n;
}

void append_string(std::string& out, std::string_view text) {
  const auto size = out.size();
  out.resize(size + string_size(text));
  write_string(out.data() + size, text);
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

char* write_address(char* to, std::uint64_t v) {
  std::memcpy(to, "\"0x", 3);
  to += 3;
  // One digit for each started group of four bits.
  const int digits = v == 0 ? 1 : (static_cast<int>(std::bit_width(v)) + 3) / 4;
  for (int i = digits - 1; i >= 0; --i, v >>= 4) to[i] = hex_digits[v & 0xf];
  to += digits;
  *to++ = '"';
  return to;
}

void append_address(std::string& out, std::uint64_t v) {
  char text[20];
  out.append(text, static_cast<std::size_t>(write_address(text, v) - text));
}

}  // namespace profile_relay::profile::json_text
