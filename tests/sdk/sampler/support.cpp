#include "tests/sdk/sampler/support.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>

namespace profile_relay::sdk::testing {

void recording_sink::on_missed(std::span<const std::int32_t> tids) noexcept {
  std::lock_guard const lock(guard);
  for (auto const tid : tids) ++missed_by_tid[tid];
}

void recording_sink::on_tick(std::span<const stack_sample> samples, tick_counts const& counts) noexcept {
  std::lock_guard const lock(guard);
  ++calls;
  sum += counts;
  counts_agree =
      counts_agree && counts.samples == samples.size() && counts.samples + counts.missed == counts.ticks;
  for (auto const& s : samples) {
    ++by_tid[s.tid];
    latest[s.tid] = s;
    if (first_time == 0) first_time = s.boottime_ns;
    last_time = std::max(last_time, s.boottime_ns);
  }
  if (each) each(samples);
  changed_.notify_all();
}

void recording_sink::wait(std::function<bool(recording_sink const&)> const& what) {
  std::unique_lock lock(guard);
  if (changed_.wait_for(lock, std::chrono::minutes(2), [&] { return what(*this); })) return;
  std::fputs("what the test waits for does not come\n", stderr);
  std::abort();
}

void recording_sink::wait_for_ticks(std::uint64_t more) {
  std::uint64_t before = 0;
  {
    std::lock_guard const lock(guard);
    before = calls;
  }
  wait([&](auto const& s) { return s.calls >= before + more; });
}

void recording_sink::wait_for_samples_of(std::int32_t tid, std::uint64_t more) {
  std::uint64_t before = 0;
  {
    std::lock_guard const lock(guard);
    before = by_tid[tid];
  }
  wait([&](auto const& s) {
    auto const at = s.by_tid.find(tid);
    return at != s.by_tid.end() && at->second >= before + more;
  });
}

busy_thread::busy_thread(std::function<void()> step)
    : thread_([this, step = std::move(step)] {
        tid_ = ::gettid();
        tid_.notify_all();
        while (!stop_.load()) step();
      }) {
  tid_.wait(0);
}

void busy_thread::join() {
  stop_ = true;
  if (thread_.joinable()) thread_.join();
}

int in_child(std::function<int()> const& what) {
  std::fflush(nullptr);
  auto const child = ::fork();
  if (child == 0) ::_exit(what());
  int status = -1;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

}  // namespace profile_relay::sdk::testing
