#include "profile/message_pack.hpp"

#include <cassert>

namespace profile_relay::profile::message_pack {

void writer::big_endian(std::uint64_t v, int bytes) {
  for (int i = bytes - 1; i >= 0; --i) byte(static_cast<unsigned>(v >> (8 * i)) & 0xffU);
}

void writer::map_header(std::size_t pairs) {
  assert(pairs <= 15);
  byte(0x80U | static_cast<unsigned>(pairs));
}

void writer::array_header(std::size_t elements) {
  assert(elements <= 0xffff);
  if (elements <= 15) return byte(0x90U | static_cast<unsigned>(elements));
  byte(0xdc);
  big_endian(elements, 2);
}

void writer::uint(std::uint64_t v) {
  if (v <= 0x7f) return byte(static_cast<unsigned>(v));
  const int bytes = v <= 0xff ? 1 : v <= 0xffff ? 2 : v <= 0xffff'ffff ? 4 : 8;
  byte(bytes == 1 ? 0xcc : bytes == 2 ? 0xcd : bytes == 4 ? 0xce : 0xcf);
  big_endian(v, bytes);
}

void writer::str(std::string_view text) {
  const auto n = text.size();
  if (n <= 31) {
    byte(0xa0U | static_cast<unsigned>(n));
  } else {
    const int bytes = n <= 0xff ? 1 : n <= 0xffff ? 2 : 4;
    byte(bytes == 1 ? 0xd9 : bytes == 2 ? 0xda : 0xdb);
    big_endian(n, bytes);
  }
  out_.append(text);
}

void writer::bin(std::string_view bytes) {
  bin_header(bytes.size());
  out_.append(bytes);
}

void writer::bin_header(std::size_t size) {
  const int width = size <= 0xff ? 1 : size <= 0xffff ? 2 : 4;
  byte(width == 1 ? 0xc4 : width == 2 ? 0xc5 : 0xc6);
  big_endian(size, width);
}

std::optional<std::uint8_t> reader::take_byte() {
  if (rest_.empty()) return std::nullopt;
  const auto b = static_cast<std::uint8_t>(rest_.front());
  rest_.remove_prefix(1);
  return b;
}

std::optional<std::string_view> reader::take(std::size_t size) {
  if (rest_.size() < size) return std::nullopt;
  const auto part = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return part;
}

std::optional<std::uint64_t> reader::take_big_endian(int bytes) {
  const auto part = take(static_cast<std::size_t>(bytes));
  if (!part) return std::nullopt;
  std::uint64_t v = 0;
  for (const char c : *part) v = v << 8 | static_cast<std::uint8_t>(c);
  return v;
}

std::optional<std::size_t> reader::map_header() {
  const auto b = take_byte();
  if (!b || (*b & 0xf0U) != 0x80U) return std::nullopt;
  return *b & 0x0fU;
}

std::optional<std::uint64_t> reader::uint() {
  const auto b = take_byte();
  if (!b) return std::nullopt;
  if (*b <= 0x7f) return *b;
  if (*b < 0xcc || *b > 0xcf) return std::nullopt;
  return take_big_endian(1 << (*b - 0xcc));
}

std::optional<std::string_view> reader::str() {
  const auto b = take_byte();
  if (!b) return std::nullopt;
  if ((*b & 0xe0U) == 0xa0U) return take(*b & 0x1fU);
  if (*b < 0xd9 || *b > 0xdb) return std::nullopt;
  const auto n = take_big_endian(1 << (*b - 0xd9));
  return n ? take(*n) : std::nullopt;
}

std::optional<std::string_view> reader::bin() {
  const auto b = take_byte();
  if (!b || *b < 0xc4 || *b > 0xc6) return std::nullopt;
  const auto n = take_big_endian(1 << (*b - 0xc4));
  return n ? take(*n) : std::nullopt;
}

bool reader::skip(int depth) {
  if (rest_.empty() || depth > 4) return false;
  const auto b = static_cast<std::uint8_t>(rest_.front());
  if (b <= 0x7f || (b >= 0xcc && b <= 0xcf)) return uint().has_value();
  if ((b & 0xe0U) == 0xa0U || (b >= 0xd9 && b <= 0xdb)) return str().has_value();
  if (b >= 0xc4 && b <= 0xc6) return bin().has_value();

  std::uint64_t values = 0;
  if ((b & 0xf0U) == 0x80U) {
    values = 2 * *map_header();
  } else if ((b & 0xf0U) == 0x90U) {
    values = *take_byte() & 0x0fU;
  } else if (b == 0xdc) {
    take_byte();
    const auto n = take_big_endian(2);
    if (!n) return false;
    values = *n;
  } else {
    return false;
  }
  while (values-- > 0)
    if (!skip(depth + 1)) return false;
  return true;
}

}  // namespace profile_relay::profile::message_pack
