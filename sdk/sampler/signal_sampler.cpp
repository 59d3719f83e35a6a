#include "sdk/sampler/signal_sampler.hpp"

#include <pthread.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <system_error>
#include <thread>
#include <unordered_map>
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
constinit std::atomic<std::uint64_t> last_request{0};

bool thread_sanitizer_is_here() { return __tsan_init != nullptr; }

std::int64_t thread_cpu_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

}  // namespace

/// One run from start() to stop(); all but `stopping`, `wake` and `shown` is its thread's own.
struct signal_sampler::run {
  run(tick_sink& to, std::atomic<std::int32_t>& own_tid) : sink(to), tid(own_tid) {
    for (std::size_t i = slot_count; i-- > 0;)
      if (slot_pool[i].reusable()) free.push_back(static_cast<std::uint16_t>(i));
  }

  struct request {
    std::uint64_t number = 0;
    std::uint16_t slot = 0;
  };
  using requests = std::unordered_map<std::int32_t, request>;

  void work();
  void collect();
  void ask();
  void forget_ended();
  requests::iterator forget(requests::iterator at);
  void publish();
  bool wait_until(clock::time_point deadline);

  tick_sink& sink;
  std::atomic<std::int32_t>& tid;
  pid_t const pid = ::getpid();
  thread_list threads;
  signal_sender send;
  std::thread thread;

  mutable std::mutex guard;
  std::condition_variable wake;
  bool stopping = false;
  sampler_statistics shown;

  std::vector<std::uint16_t> free;
  requests outstanding;            // by thread
  std::uint64_t without_slot = 0;  // threads that could not be asked
  tick_counts counts;              // of the time being collected
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
  counts = {};
  counts.ticks = counts.missed = without_slot;
  for (auto at = outstanding.begin(); at != outstanding.end();) {
    auto const [number, index] = at->second;
    auto& slot = slot_pool[index];
    ++counts.ticks;
    if (!slot.take(number)) {
      ++counts.missed;
      ++at;
      continue;
    }
    if (batch.size() == batch_size) batch.emplace_back();
    auto& out = batch[batch_size++];
    out = slot.sample;
    out.tid = at->first;
    ++counts.samples;
    counts.truncated += out.truncated ? 1 : 0;
    handler_times.add(slot.handler_ns);
    free.push_back(index);
    at = outstanding.erase(at);
  }
}

void signal_sampler::run::ask() {
  without_slot = 0;
  if (!have_signal()) {
    ++statistics.without_signal;
    return;
  }
  ++statistics.rounds;
  for (auto const to : threads.read(tid.load(std::memory_order_relaxed))) {
    if (free.empty() && !outstanding.contains(to)) {
      ++without_slot;
      continue;
    }
    auto const [at, fresh] = outstanding.try_emplace(to);
    auto& owed = at->second;
    if (fresh) {
      owed = {last_request.fetch_add(1) + 1, free.back()};
      free.pop_back();
      slot_pool[owed.slot].arm(owed.number);
    }
    // Again to who owes an answer: the signal may not have been sent for lack of room, or another thread has the number of
    // one that ended. Where it is pending, nothing happens.
    if (send(to, owed.number, owed.slot) != sent::no_such_thread) continue;
    forget(at);
    threads.one_is_gone();
  }
  forget_ended();
}

// Threads that ended with an answer owing: not in the list that was just read.
void signal_sampler::run::forget_ended() {
  if (outstanding.size() + without_slot <= threads.last().size()) return;
  for (auto at = outstanding.begin(); at != outstanding.end();) {
    auto const here = std::find(threads.last().begin(), threads.last().end(), at->first);
    at = here == threads.last().end() ? forget(at) : std::next(at);
  }
}

signal_sampler::run::requests::iterator signal_sampler::run::forget(requests::iterator at) {
  auto const [number, index] = at->second;
  // An ended thread does not write any more; its last answer, if any, is of no use.
  if (slot_pool[index].give_up(number) || slot_pool[index].reusable()) free.push_back(index);
  return outstanding.erase(at);
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
  for (auto const& [to, owed] : outstanding) slot_pool[owed.slot].give_up(owed.number);
  tid = 0;
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
  auto next = std::make_unique<run>(sink, tid_);
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
  // From within on_tick: this run cannot be replaced meanwhile, and whoever waits for it may hold `control_`.
  if (tid_ == ::gettid()) {
    std::lock_guard const lock(run_->guard);
    run_->stopping = true;
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
