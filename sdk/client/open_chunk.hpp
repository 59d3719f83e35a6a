// One chunk from its first sample until it is handed to the transport.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "sdk/core/trace_builder.hpp"

namespace profile_relay::sdk {

struct open_chunk {
  static constexpr std::size_t most_threads = 1'024;

  open_chunk(std::string profiler, std::string chunk, clock_reading const& now)
      : profiler_id(std::move(profiler)), chunk_id(std::move(chunk)), start(now) {}

  const std::string profiler_id;
  const std::string chunk_id;
  const clock_reading start;

  // Set when it is sealed: what comes later is for another chunk.
  clock_reading end{};
  std::size_t charged = 0;  ///< its weight then

  // What follows belongs to whoever holds the client's trace lock.
  std::unique_ptr<trace_builder> trace;  ///< absent until the first sample
  tick_counts counts;
  /// Of counts.missed, by thread; those of threads beyond most_threads are under 0.
  std::map<std::int32_t, std::uint64_t> missed;
  std::uint64_t dropped = 0;  ///< samples that came and got no place
  bool broken = false;        ///< its builder threw: what it holds is not to be trusted
  bool full = false;          ///< its builder wants no more

  std::atomic<std::uint64_t> samples{0};
  std::atomic<std::size_t> bytes{0};  ///< of the trace, after the last tick

  /// Memory that it holds at least, for the bound of what waits.
  [[nodiscard]] std::size_t weight() const { return bytes.load() + sizeof(open_chunk) + 4096; }
};

}  // namespace profile_relay::sdk
