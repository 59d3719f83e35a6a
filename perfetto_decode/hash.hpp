#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace profile_relay::perfetto_decode {

/// Folds one word into a running hash: multiply-xorshift, so that every bit of `v` reaches the low bits that
/// tables use.
constexpr std::uint64_t mix(std::uint64_t h, std::uint64_t v) {
  h = (h ^ v) * 0x9e3779b97f4a7c15ull;
  h ^= h >> 32;
  h *= 0xd6e8feb86659fd93ull;
  return h ^ (h >> 29);
}

/// Of a string, eight bytes at a time.
inline std::uint64_t hash_of(std::string_view s) {
  std::uint64_t h = s.size();
  std::size_t i = 0;
  for (; i + 8 <= s.size(); i += 8) {
    std::uint64_t w = 0;
    std::memcpy(&w, s.data() + i, 8);
    h = mix(h, w);
  }
  std::uint64_t rest = 0;
  for (; i < s.size(); ++i) rest = (rest << 8) | static_cast<unsigned char>(s[i]);
  return mix(h, rest);
}

}  // namespace profile_relay::perfetto_decode
