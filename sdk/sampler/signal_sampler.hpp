// The sampler that asks threads by signal.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>

#include "sdk/core/sampler.hpp"

namespace profile_relay::sdk {

/// What sampling did and cost since start().
struct sampler_statistics {
  tick_counts counts;
  std::uint64_t rounds = 0;   ///< times that all threads were asked
  std::uint64_t skipped = 0;  ///< times of the clock that went by because the sampler itself came too late
  /// Rounds in which nobody was asked, because the host has put a handler of its own on SIGPROF.
  std::uint64_t without_signal = 0;
  std::int64_t thread_cpu_ns = 0;  ///< CPU time of the sampler's thread, sink included
  /// From the entry of the handler to its end; what the kernel does around it is not in here.
  std::uint64_t handler_ns = 0, handler_p50_ns = 0, handler_p99_ns = 0;
};

/// 101 times a second, on absolute deadlines: collects what threads have answered, gives it to the sink, and asks each
/// thread of the process that owes no answer. So nobody is waited for: a thread that has not answered by a deadline (it
/// blocks SIGPROF, or got no CPU) counts as missed for that time, and its answer, with the time at which it was given, for
/// the time in which it comes.
///
/// What the host notices (profiling API, 3): system calls that SA_RESTART restarts go on, but nanosleep(), poll(),
/// select(), epoll_wait() and others that no flag restarts end with EINTR. Before replacing the process by exec() without
/// a fork(), stop: a signal sent at that moment would reach the new program, and end it.
///
/// start() is refused while SIGPROF has another owner (take_signal()), when this sampler runs already, under
/// ThreadSanitizer (which delays signals), without /proc, and when no thread can be made. A fork's child has no sampler;
/// it may start one, also with this object. start(), stop() and statistics() may be called from any thread; from within
/// on_tick only stop().
class signal_sampler final : public sampler {
 public:
  explicit signal_sampler(stack_walk walk);
  ~signal_sampler() override;
  signal_sampler(signal_sampler const&) = delete;
  signal_sampler& operator=(signal_sampler const&) = delete;

  sampler_status start(tick_sink& sink) override;
  void stop() override;
  /// Of the run that is going on, or of the last one.
  [[nodiscard]] sampler_statistics statistics() const;

 private:
  struct run;
  void forget_parents_run();

  stack_walk const walk_;
  std::atomic<std::int32_t> tid_{0};  // of the sampler's thread, while there is one
  mutable std::mutex control_;
  std::unique_ptr<run> run_;
};

}  // namespace profile_relay::sdk
