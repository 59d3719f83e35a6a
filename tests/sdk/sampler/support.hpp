// What the tests of the real sampler share: a sink that can be waited for, and children.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "sdk/core/sampler.hpp"

namespace profile_relay::sdk::testing {

/// Keeps what it is told. The waits end the program after two minutes: then nothing came at all.
class recording_sink final : public tick_sink {
 public:
  void on_missed(std::span<const std::int32_t> tids) noexcept override;
  void on_tick(std::span<const stack_sample> samples, tick_counts const& counts) noexcept override;

  /// Until `what` says so; asked after each tick, under the lock.
  void wait(std::function<bool(recording_sink const&)> const& what);
  void wait_for_ticks(std::uint64_t more);
  void wait_for_samples_of(std::int32_t tid, std::uint64_t more);

  std::uint64_t calls = 0;
  tick_counts sum;
  bool counts_agree = true;  ///< samples + missed == ticks, and as many samples as were given, each time
  std::map<std::int32_t, std::uint64_t> by_tid, missed_by_tid;
  std::map<std::int32_t, stack_sample> latest;
  std::function<void(std::span<const stack_sample>)> each;  ///< under the lock
  std::int64_t first_time = 0, last_time = 0;

  mutable std::mutex guard;

 private:
  std::condition_variable changed_;
};

/// A thread that does something again and again until this ends.
class busy_thread {
 public:
  explicit busy_thread(std::function<void()> step);
  busy_thread(busy_thread const&) = delete;
  busy_thread& operator=(busy_thread const&) = delete;
  ~busy_thread() { join(); }
  void join();
  [[nodiscard]] std::int32_t tid() const { return tid_; }

 private:
  std::atomic<bool> stop_{false};
  std::atomic<std::int32_t> tid_{0};
  std::thread thread_;
};

/// Runs this in a forked child, which ends with what it returns. The wait status: exit codes are `code << 8`.
int in_child(std::function<int()> const& what);

}  // namespace profile_relay::sdk::testing
