#pragma once

#include <cstdint>

namespace profile_relay::trace_maker {

/// SplitMix64: the same numbers for the same seed on every machine and with every standard library, which
/// <random>'s distributions do not promise.
class random_stream {
 public:
  explicit random_stream(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {
    state_ += 0x9e3779b97f4a7c15u;
    auto z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  /// In [0, bound); the bias of the remainder is far below what a trace could show.
  std::uint64_t below(std::uint64_t bound) { return next() % bound; }
  /// In [0, 1), 53 bits.
  double unit() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

 private:
  std::uint64_t state_;
};

}  // namespace profile_relay::trace_maker
