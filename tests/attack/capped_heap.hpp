#pragma once

#include <cstddef>

/// The heap of this program, watched and bounded: everything that goes through malloc, also what zlib, zstd and the
/// C++ library take. Sanitizers bring their own malloc; there nothing is watched and nothing is bounded
/// (uncapped_heap.cpp), and the tests still check how each input ends. One thread only.
namespace attack {

/// False under sanitizers: then `peak` is 0 and no cap is ever passed.
bool heap_is_watched();

struct heap_use {
  std::size_t peak = 0;  ///< bytes above what was in use at the start
  bool cap_passed = false;
};

/// From here on an allocation that would take the heap more than `cap` above its present use fails.
void start_cap(std::size_t cap);
heap_use stop_cap();

}  // namespace attack
