#pragma once

#include <cstddef>
#include <cstdint>

namespace profile_relay::perfetto_decode {

/// Folds one word into a running hash: multiply-xorshift, so that every bit of `v` reaches the low bits that
/// tables use.
constexpr std::uint64_t mix(std::uint64_t h, std::uint64_t v) {
  h = (h ^ v) * 0x9e3779b97f4a7c15ull;
  h ^= h >> 32;
  h *= 0xd6e8feb86659fd93ull;
  return h ^ (h >> 29);
}

}  // namespace profile_relay::perfetto_decode
