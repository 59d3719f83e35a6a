#pragma once

#include <cstring>
#include <string_view>

namespace profile_relay::perfetto_decode {

/// True for well-formed UTF-8 (no surrogates, no overlong forms, nothing above U+10FFFF).
inline bool is_utf8(std::string_view s) {
  auto const* p = reinterpret_cast<const unsigned char*>(s.data());
  auto const* const end = p + s.size();
  auto continuation = [](unsigned char c) { return (c & 0xc0u) == 0x80u; };
  while (p != end) {
    while (end - p >= 8) {
      std::uint64_t w = 0;
      std::memcpy(&w, p, 8);
      if ((w & 0x8080808080808080ull) != 0) break;
      p += 8;
    }
    if (p == end) break;
    unsigned char const c = *p;
    if (c < 0x80) {
      ++p;
    } else if (c >= 0xc2 && c <= 0xdf) {
      if (end - p < 2 || !continuation(p[1])) return false;
      p += 2;
    } else if (c >= 0xe0 && c <= 0xef) {
      if (end - p < 3 || !continuation(p[1]) || !continuation(p[2])) return false;
      if ((c == 0xe0 && p[1] < 0xa0) || (c == 0xed && p[1] > 0x9f)) return false;
      p += 3;
    } else if (c >= 0xf0 && c <= 0xf4) {
      if (end - p < 4 || !continuation(p[1]) || !continuation(p[2]) || !continuation(p[3])) return false;
      if ((c == 0xf0 && p[1] < 0x90) || (c == 0xf4 && p[1] > 0x8f)) return false;
      p += 4;
    } else {
      return false;
    }
  }
  return true;
}

}  // namespace profile_relay::perfetto_decode
