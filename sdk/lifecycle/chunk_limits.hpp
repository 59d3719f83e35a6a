// How large a chunk may become.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace profile_relay::sdk {

/// A chunk is cut at whichever it reaches first (profiling API, 3.2).
struct chunk_limits {
  std::chrono::milliseconds duration = std::chrono::seconds(60);
  /// The server refuses more than 100,000.
  std::uint64_t samples = 90'000;
  /// The server refuses more than 50 MiB with the metadata.
  std::size_t bytes = std::size_t{40} << 20;

  friend bool operator==(chunk_limits const&, chunk_limits const&) = default;
};

/// Nothing later than this after its start gets into a chunk, whatever kept it from being cut.
inline constexpr std::chrono::milliseconds chunk_hard_stop = std::chrono::seconds(66);

/// Shorter ones would be mostly their own symbols.
inline constexpr std::chrono::milliseconds shortest_chunk = std::chrono::seconds(1);

/// All three halved, because the limit that made the chunk too large is not known; the same when the time would get
/// below shortest_chunk.
constexpr chunk_limits halved(chunk_limits const& limits) {
  if (limits.duration / 2 < shortest_chunk) return limits;
  return {limits.duration / 2, limits.samples / 2, limits.bytes / 2};
}

}  // namespace profile_relay::sdk
