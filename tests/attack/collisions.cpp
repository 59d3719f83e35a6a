#include "collisions.hpp"

#include <cstring>

namespace attack {
namespace {

constexpr std::uint64_t first_factor = 0x9e3779b97f4a7c15ull, second_factor = 0xd6e8feb86659fd93ull;

// One step of the hash under attack, written out here: the strings have to stay what they are when the hash changes.
std::uint64_t mix(std::uint64_t h, std::uint64_t v) {
  h = (h ^ v) * first_factor;
  h ^= h >> 32;
  h *= second_factor;
  return h ^ (h >> 29);
}

/// Of an odd number, modulo 2^64: each step doubles the number of right bits.
constexpr std::uint64_t inverse(std::uint64_t odd) {
  std::uint64_t x = odd;
  for (int i = 0; i < 6; ++i) x *= 2 - odd * x;
  return x;
}

constexpr std::uint64_t undo_xorshift(std::uint64_t h, unsigned by) {
  std::uint64_t x = h;
  for (unsigned done = by; done < 64; done += by) x = h ^ (x >> by);
  return x;
}

bool is_ascii(std::uint64_t word) { return (word & 0x8080808080808080ull) == 0; }

std::uint64_t random_word(std::uint64_t& state) {
  state += first_factor;
  return mix(state, 1);
}

}  // namespace

std::uint64_t unmix(std::uint64_t h, std::uint64_t wanted) {
  std::uint64_t x = undo_xorshift(wanted, 29);
  x = undo_xorshift(x * inverse(second_factor), 32);
  return (x * inverse(first_factor)) ^ h;
}

std::vector<std::string> colliding_strings(std::size_t count) {
  constexpr std::uint64_t wanted = 0x1234'5678'9abc'def0ull;
  std::vector<std::string> out;
  out.reserve(count);
  std::uint64_t state = 1;
  while (out.size() < count) {
    std::uint64_t const first = random_word(state) & 0x7f7f7f7f7f7f7f7full;
    std::uint64_t const second = unmix(mix(16, first), wanted);
    if (!is_ascii(second)) continue;  // one in 256 is a name that may be shown
    std::string s(16, '\0');
    std::memcpy(s.data(), &first, 8);
    std::memcpy(s.data() + 8, &second, 8);
    out.push_back(std::move(s));
  }
  return out;
}

}  // namespace attack
