#pragma once

#include <cstdint>
#include <span>

namespace profile_relay::perfetto_decode {

/// A time and whose it is.
struct time_key {
  std::int64_t time;
  std::uint32_t index;
};

/// Sorts by time; equal times keep their order. Linear: one look for sequences that are in order already, else a radix
/// sort over the bits in which the times differ (a minute of nanoseconds: 36 bits, three or four passes). `scratch` has
/// the same size.
void sort_by_time(std::span<time_key> keys, std::span<time_key> scratch);

}  // namespace profile_relay::perfetto_decode
