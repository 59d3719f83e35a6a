#pragma once

#include <cstddef>
#include <cstdint>

/// Counts what goes through operator new in this program (malloc calls of C libraries do not).
namespace profile_relay::bench {

struct heap_use {
  std::uint64_t allocations = 0;
  std::size_t peak_bytes = 0;  ///< above what was in use when counting began
};

void start_counting();
heap_use stop_counting();

}  // namespace profile_relay::bench
