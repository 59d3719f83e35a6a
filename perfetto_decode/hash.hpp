#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace profile_relay::perfetto_decode {

/// Folds one word into a running hash: multiply-xorshift, so that every bit of `v` reaches the low bits that
/// tables use. Start from a seed when the words may have been chosen by an attacker.
constexpr std::uint64_t mix(std::uint64_t h, std::uint64_t v) {
  h = (h ^ v) * 0x9e3779b97f4a7c15ull;
  h ^= h >> 32;
  h *= 0xd6e8feb86659fd93ull;
  return h ^ (h >> 29);
}

__extension__ using uint128 = unsigned __int128;

/// The two halves of a 128-bit product, folded: mixes two words at the price of one multiplication.
inline std::uint64_t fold(std::uint64_t a, std::uint64_t b) {
  auto const product = static_cast<uint128>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

/// Keys of a hash: what an attacker cannot know. Nothing that is written depends on hash values, so an object's own
/// address, which is random, will do.
struct hash_seed {
  std::uint64_t a, b;
};
template <class T>
hash_seed seed_of(T const* self) {
  auto const address = static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(self));
  return {mix(0x2d358dccaa6c78a5ull, address), mix(0x8bb84b93962eacc9ull, address) | 1u};
}

/// Hash of a short list of words: none of them can cancel another without knowing the seed.
template <class... Words>
std::uint64_t hash_words(hash_seed s, Words... words) {
  std::uint64_t h = s.b;
  ((h = fold(h ^ static_cast<std::uint64_t>(words), s.a) + s.b), ...);
  return h;
}

inline std::uint64_t load_word(const char* p) {
  std::uint64_t w = 0;
  std::memcpy(&w, p, 8);
  return w;
}

/// Of a string, sixteen bytes for each multiplication.
inline std::uint64_t hash_text(std::string_view s, hash_seed seed) {
  std::uint64_t h = seed.b ^ s.size();
  const char* p = s.data();
  std::size_t n = s.size();
  for (; n > 16; n -= 16, p += 16) h = fold(load_word(p) ^ seed.a, load_word(p + 8) ^ h) + seed.b;
  std::uint64_t x = 0, y = 0;
  if (n >= 8) {
    x = load_word(p);
    y = load_word(p + n - 8);
  } else if (n >= 4) {
    std::uint32_t first = 0, last = 0;
    std::memcpy(&first, p, 4);
    std::memcpy(&last, p + n - 4, 4);
    x = first;
    y = last;
  } else if (n > 0) {
    x = (static_cast<std::uint64_t>(static_cast<unsigned char>(p[0])) << 16) |
        (static_cast<std::uint64_t>(static_cast<unsigned char>(p[n / 2])) << 8) |
        static_cast<unsigned char>(p[n - 1]);
  }
  return fold(fold(x ^ seed.a, y ^ h) ^ seed.b, seed.a);
}

}  // namespace profile_relay::perfetto_decode
