#include "profile/json_text.hpp"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

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

/// Copies a block if none of its bytes needs an escape.
bool copy_plain_8(char* to, const char* from) {
  std::uint64_t w = 0;
  std::memcpy(&w, from, 8);
  if (any_needs_escape(w)) return false;
  std::memcpy(to, &w, 8);
  return true;
}

#ifdef __SSE2__
bool copy_plain_16(char* to, const char* from) {
  const auto v = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
  const auto below_space = _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(0x1f)), v);
  const auto quote = _mm_cmpeq_epi8(v, _mm_set1_epi8('"'));
  const auto backslash = _mm_cmpeq_epi8(v, _mm_set1_epi8('\\'));
  if (_mm_movemask_epi8(_mm_or_si128(below_space, _mm_or_si128(quote, backslash))) != 0) return false;
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), v);
  return true;
}
#else
bool copy_plain_16(char* to, const char* from) {
  return copy_plain_8(to, from) && copy_plain_8(to + 8, from + 8);
}
#endif

/// Copies as much of the text as needs no escape and is cheap to find; returns its size. The last block of a text overlaps
/// the one before, so that no byte is looked at by itself.
std::size_t copy_plain(char* to, std::string_view text) {
  const auto n = text.size();
  const char* from = text.data();
  if (n >= 16) {
    std::size_t i = 0;
    for (; i + 16 <= n; i += 16)
      if (!copy_plain_16(to + i, from + i)) return i;
    return copy_plain_16(to + n - 16, from + n - 16) ? n : i;
  }
  if (n >= 8) return copy_plain_8(to, from) && copy_plain_8(to + n - 8, from + n - 8) ? n : 0;
  return 0;
}

}  // namespace

char* write_string(char* to, std::string_view text) {
  *to++ = '"';
  const auto plain = copy_plain(to, text);
  to += plain;
  for (const char c : text.substr(plain)) to = write_char(to, c);
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

namespace {

/// Times and values of clients mostly have at most six decimals and are below 2^32. There the doubles lie closer together
/// than such decimals, so that at most one of them reads back as `v`: it is the shortest form. Null = not such a number.
char* write_micros(char* to, double v) {
  constexpr double below = 4294967296.0, scale = 1e6;
  if (!(v >= 0 && v < below) || std::signbit(v)) return nullptr;
  const auto micros = static_cast<std::uint64_t>(v * scale + 0.5);
  if (static_cast<double>(micros) / scale != v) return nullptr;
  to = std::to_chars(to, to + 10, micros / 1'000'000).ptr;
  *to++ = '.';
  auto fraction = static_cast<std::uint32_t>(micros % 1'000'000);
  for (int i = 5; i >= 0; --i, fraction /= 10) to[i] = static_cast<char>('0' + fraction % 10);
  std::size_t n = 6;
  while (n > 1 && to[n - 1] == '0') --n;
  return to + n;
}

}  // namespace

void append_number(std::string& out, double v) {
  char text[400];  // the longest fixed form, of the smallest denormals, has 327 characters
  if (const char* end = write_micros(text, v)) {
    out.append(text, static_cast<std::size_t>(end - text));
    return;
  }
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
