// What the sampler hands to the trace writer: plain values, no protobuf and no strings.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace profile_relay::sdk {

/// Frames kept of one stack; deeper ones lose their root end and count as truncated (profiling API, 1: 128).
inline constexpr std::size_t max_depth = 128;

/// One stack of one thread.
struct stack_sample {
  std::int64_t boottime_ns = 0;
  std::int32_t tid = 0;
  std::uint16_t depth = 0;
  /// The walk ended before the thread's root: too deep, or it left the thread's stack.
  bool truncated = false;
  /// Leaf first: pcs[0] is the exact program counter, the others are return addresses as found on the stack.
  std::array<std::uintptr_t, max_depth> pcs{};

  [[nodiscard]] std::span<const std::uintptr_t> frames() const { return {pcs.data(), depth}; }
};

/// What one tick of the sampler did. ticks counts threads that were asked: samples + missed == ticks.
struct tick_counts {
  std::uint64_t ticks = 0;
  std::uint64_t samples = 0;
  std::uint64_t missed = 0;
  std::uint64_t truncated = 0;

  tick_counts& operator+=(const tick_counts& other) {
    ticks += other.ticks;
    samples += other.samples;
    missed += other.missed;
    truncated += other.truncated;
    return *this;
  }
};

/// The three clocks of a snapshot, read together, in ns.
struct clock_reading {
  std::int64_t boottime_ns = 0;
  std::int64_t realtime_ns = 0;
  std::int64_t monotonic_ns = 0;
};

}  // namespace profile_relay::sdk
