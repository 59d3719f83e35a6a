#include "examples/busy_service/work.hpp"

#include <time.h>

#include <chrono>
#include <cstdint>
#include <thread>
#include <vector>

// Out of the anonymous namespace, so that the names are in every symbol table.
#define KEPT __attribute__((noinline, noclone, noipa))

namespace busy {

using std::chrono::microseconds;

namespace {

// Read by nobody; written so that no loop is empty.
volatile std::uint64_t sink = 0;

inline void some_steps(std::uint64_t& state) {
  for (int i = 0; i < 2000; ++i) state = state * 6364136223846793005U + 1442695040888963407U;
}

/// What this thread has had of a CPU, so that a busy machine does not change how threads share their time.
inline microseconds cpu_time() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return microseconds{now.tv_sec * 1'000'000 + now.tv_nsec / 1000};
}

inline void work_for(microseconds time) {
  std::uint64_t state = sink;
  for (auto const end = cpu_time() + time; cpu_time() < end;) some_steps(state);
  sink = state;
}

}  // namespace

KEPT void work_seventy(microseconds time) { work_for(time * 7); }
KEPT void work_thirty(microseconds time) { work_for(time * 3); }

KEPT void under_the_lock(std::mutex& lock) {
  std::lock_guard const held(lock);
  work_for(microseconds{200});
  // As code does that writes a file under a lock.
  std::this_thread::sleep_for(microseconds{3000});
}

KEPT void allocate_blocks(std::uint64_t& state) {
  std::vector<std::vector<char>> blocks;
  for (int i = 0; i < 200; ++i) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    blocks.emplace_back(state % 20'000);
  }
  sink = blocks.size();
}

KEPT void spin(stop_flag const& stop) {
  std::uint64_t state = 1;
  while (!stop) some_steps(state);
  sink = state;
}

KEPT void sleep_often(stop_flag const& stop) {
  while (!stop) std::this_thread::sleep_for(std::chrono::milliseconds{30});
  sink = 0;
}

KEPT void fight_for_lock(stop_flag const& stop, std::mutex& lock) {
  while (!stop) under_the_lock(lock);
  sink = 0;
}

KEPT void allocate(stop_flag const& stop) {
  std::uint64_t state = 1;
  while (!stop) {
    allocate_blocks(state);
    std::this_thread::sleep_for(microseconds{500});
  }
  sink = state;
}

KEPT void split_work(stop_flag const& stop) {
  // A round of 4.3 ms: no small multiple of it is near the 9.9 ms between two samples.
  constexpr microseconds tenth{430};
  while (!stop) {
    work_seventy(tenth);
    work_thirty(tenth);
  }
  sink = 0;
}

}  // namespace busy
