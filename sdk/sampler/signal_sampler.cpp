#include "sdk/sampler/signal_sampler.hpp"

#include <pthread.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <system_error>
#include <thread>
#include <vector>

#include "sdk/sampler/duration_histogram.hpp"
#include "sdk/sampler/signal_handler.hpp"
#include "sdk/sampler/slot_pool.hpp"
#include "sdk/sampler/thread_list.hpp"

// There when ThreadSanitizer is in the process, whether or not this file was built with it.
extern "C" __attribute__((weak)) void __tsan_init();

namespace profile_relay::sdk {
namespace {

using clock = std::chrono::steady_clock;
constexpr std::uint64_t frequency = 101;

// Goes on over all runs of the process, so that no late handler of an earlier run meets its number again.
constinit std::atomic<std::uint64_t> last_tick{0};

bool thread_sanitizer_is_here() { return __tsan_init != nullptr; }

std::int64_t thread_cpu_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

}  // namespace

/// One run from start() to stop(); all but `stopping`, `wake`, `tid` and `shown` is its thread's own.
struct signal_sampler::run {
  run(tick_sink& to, pid_t of) : sink(to), pid(of) {
    for (std::size_t i = slot_count; i-- > 0;) free.push_back(static_cast<std::uint16_t>(i));
  }

  void work();
  void collect();
  void ask();
  void publish();
  bool wait_until(clock::time_point deadline);

  tick_sink& sink;
  pid_t const pid;
  thread_list threads;
  std::thread thread;
  std::atomic<pid_t> tid{0};

  mutable std::mutex guard;
  std::condition_variable wake;
  bool stopping = false;
  sampler_statistics shown;

  struct asked {
    std::uint16_t slot;
    std::int32_t tid;
  };
  struct late {
    std::uint16_t slot;
    std::uint64_t tick;
  };
  std::uint64_t tick = 0;
  std::vector<std::uint16_t> free;
  std::vector<asked> outstanding;
  std::vector<late> still_writing;
  tick_counts counts;  // of the tick being collected
  std::vector<stack_sample> batch;
  std::size_t batch_size = 0;
  sampler_statistics statistics;
  duration_histogram handler_times;
};

bool signal_sampler::run::wait_until(clock::time_point deadline) {
  std::unique_lock lock(guard);
  wake.wait_until(lock, deadline, [this] { return stopping; });
  return stopping;
}

void signal_sampler::run::collect() {
  batch_size = 0;
  std::erase_if(still_writing, [this](late const& l) {
    if (slot_pool[l.slot].collect(l.tick) == sample_slot::end::still_writing) return false;
    free.push_back(l.slot);
    return true;
  });
  for (auto const& a : outstanding) {
    auto& slot = slot_pool[a.slot];
    auto const end = slot.collect(tick);
    if (end == sample_slot::end::still_writing)
      still_writing.push_back({a.slot, tick});
    else
      free.push_back(a.slot);
    if (end != sample_slot::end::sample) {
      ++counts.missed;
      continue;
    }
    if (batch.size() == batch_size) batch.emplace_back();
    auto& out = batch[batch_size++];
    out = slot.sample;
    out.tid = a.tid;
    ++counts.samples;
    counts.truncated += out.truncated ? 1 : 0;
    handler_times.add(slot.handler_ns);
  }
  outstanding.clear();
}

void signal_sampler::run::ask() {
  counts = {};
  tick = last_tick.fetch_add(1) + 1;
  if (!have_signal()) {
    ++statistics.without_signal;
    return;
  }
  ++statistics.rounds;
  for (auto const to : threads.read(tid.load(std::memory_order_relaxed))) {
    if (free.empty()) {
      ++counts.ticks;
      ++counts.missed;
      continue;
    }
    auto const slot = free.back();
    slot_pool[slot].arm(tick);
    auto const result = send_signal(to, tick, slot);
    if (result == sent::no_such_thread) continue;  // it ended since the list was read; the slot is armed anew
    ++counts.ticks;
    free.pop_back();
    // A signal that could not be sent is missed like one that does not come.
    outstanding.push_back({slot, to});
  }
}

void signal_sampler::run::publish() {
  statistics.counts += counts;
  statistics.thread_cpu_ns = thread_cpu_ns();
  statistics.handler_ns = handler_times.total_ns();
  statistics.handler_p50_ns = handler_times.quantile(0.5);
  statistics.handler_p99_ns = handler_times.quantile(0.99);
  std::lock_guard const lock(guard);
  shown = statistics;
}

void signal_sampler::run::work() {
  tid = ::gettid();
  ::pthread_setname_np(::pthread_self(), "profile-sampler");
  auto const begin = clock::now();
  auto const deadline = [&](std::uint64_t n) {
    return begin + std::chrono::nanoseconds(n / frequency * 1'000'000'000 +
                                            n % frequency * 1'000'000'000 / frequency);
  };
  ask();
  for (std::uint64_t n = 1;; ++n) {
    bool const last = wait_until(deadline(n));
    collect();
    publish();
    sink.on_tick({batch.data(), batch_size}, counts);
    {
      std::lock_guard const lock(guard);
      if (last || stopping) break;
    }
    for (auto const now = clock::now(); deadline(n + 1) <= now; ++n) ++statistics.skipped;
    ask();
  }
  give_signal_back();
}

signal_sampler::signal_sampler(stack_walk walk) : walk_(walk) {}

signal_sampler::~signal_sampler() { stop(); }

// The thread of that run is in the parent; its mutex may be locked here for ever, so the run is left where it is.
void signal_sampler::forget_parents_run() {
  if (run_ != nullptr && run_->pid != ::getpid()) static_cast<void>(run_.release());
}

sampler_status signal_sampler::start(tick_sink& sink) {
  if (thread_sanitizer_is_here()) return sampler_status::unavailable;
  std::lock_guard const lock(control_);
  forget_parents_run();
  if (!take_signal(walk_)) return sampler_status::unavailable;
  // We own the signal, so a run that is still here has ended.
  if (run_ != nullptr && run_->thread.joinable()) run_->thread.join();
  auto next = std::make_unique<run>(sink, ::getpid());
  bool started = next->threads.usable();
  if (started) {
    sigset_t all, before;
    ::sigfillset(&all);
    // Handlers of the host do not run on our thread.
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    try {
      // Before the thread is: its sink may call stop().
      run_ = std::move(next);
      run_->thread = std::thread([r = run_.get()] { r->work(); });
    } catch (std::system_error const&) {
      started = false;
    }
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }
  if (!started) {
    give_signal_back();
    return sampler_status::unavailable;
  }
  return sampler_status::running;
}

void signal_sampler::stop() {
  // On our own thread only this run can be meant, and whoever waits for it may hold `control_`.
  if (auto* const here = run_.get(); here != nullptr && here->tid == ::gettid()) {
    std::lock_guard const lock(here->guard);
    here->stopping = true;
    return;
  }
  std::lock_guard const lock(control_);
  forget_parents_run();
  if (run_ == nullptr || !run_->thread.joinable()) return;
  {
    std::lock_guard const run_lock(run_->guard);
    run_->stopping = true;
  }
  run_->wake.notify_one();
  run_->thread.join();
}

sampler_statistics signal_sampler::statistics() const {
  std::lock_guard const lock(control_);
  if (run_ == nullptr) return {};
  std::lock_guard const run_lock(run_->guard);
  return run_->shown;
}

std::unique_ptr<sampler> make_signal_sampler(stack_walk walk) {
  return std::make_unique<signal_sampler>(walk);
}

}  // namespace profile_relay::sdk
