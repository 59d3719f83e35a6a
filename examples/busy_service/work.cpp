#include "examples/busy_service/work.hpp"

#include <chrono>
#include <cstdint>
#include <thread>
#include <vector>

// Out of the anonymous namespace, so that the names are in every symbol table.
#define KEPT __attribute__((noinline, noclone, noipa))

namespace busy {

using std::chrono::microseconds;
using clock = std::chrono::steady_clock;

namespace {

// Read by nobody; written so that no loop is empty.
volatile std::uint64_t sink = 0;

inline void some_steps(std::uint64_t& state) {
  for (int i = 0; i < 2000; ++i) state = state * 6364136223846793005U + 1442695040888963407U;
}

inline void work_for(microseconds time) {
  std::uint64_t state = sink;
  for (const auto end = clock::now() + time; clock::now() < end;) some_steps(state);
  sink = state;
}

}  // namespace

KEPT void work_seventy(microseconds time) { work_for(time * 7); }
KEPT void work_thirty(microseconds time) { work_for(time * 3); }

KEPT void under_the_lock(std::mutex& lock) {
  const std::lock_guard held(lock);
  work_for(microseconds{2000});
}

KEPT void allocate_blocks(std::uint64_t& state) {
  std::vector<std::vector<char>> blocks;
  for (int i = 0; i < 200; ++i) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    blocks.emplace_back(state % 20'000);
  }
  sink = blocks.size();
}

KEPT void spin(const stop_flag& stop) {
  std::uint64_t state = 1;
  while (!stop) some_steps(state);
  sink = state;
}

KEPT void sleep_often(const stop_flag& stop) {
  while (!stop) std::this_thread::sleep_for(std::chrono::milliseconds{30});
  sink = 0;
}

KEPT void fight_for_lock(const stop_flag& stop, std::mutex& lock) {
  while (!stop) under_the_lock(lock);
  sink = 0;
}

KEPT void allocate(const stop_flag& stop) {
  std::uint64_t state = 1;
  while (!stop) allocate_blocks(state);
  sink = state;
}

KEPT void split_work(const stop_flag& stop) {
  // A round of 4.3 ms: no small multiple of it is near the 9.9 ms between two samples.
  constexpr microseconds tenth{430};
  while (!stop) {
    work_seventy(tenth);
    work_thirty(tenth);
  }
  sink = 0;
}

}  // namespace busy
