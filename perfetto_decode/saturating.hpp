#pragma once

#include <cstdint>
#include <limits>

namespace profile_relay::perfetto_decode {

/// Times from hostile deltas: at the ends of the range they stay there, they never wrap (perfetto-decoding 8).
constexpr std::int64_t saturating_add(std::int64_t a, std::int64_t b) {
  std::int64_t sum = 0;
  if (!__builtin_add_overflow(a, b, &sum)) return sum;
  return b < 0 ? std::numeric_limits<std::int64_t>::min() : std::numeric_limits<std::int64_t>::max();
}

constexpr std::int64_t us_to_ns(std::int64_t us) {
  std::int64_t ns = 0;
  if (!__builtin_mul_overflow(us, std::int64_t{1000}, &ns)) return ns;
  return us < 0 ? std::numeric_limits<std::int64_t>::min() : std::numeric_limits<std::int64_t>::max();
}

}  // namespace profile_relay::perfetto_decode
