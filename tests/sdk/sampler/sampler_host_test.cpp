// What a host sees of the real sampler: its system calls, its signals, its threads.
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <ctime>

#include "sdk/core/clocks.hpp"
#include "sdk/sampler/signal_sampler.hpp"
#include "tests/sdk/sampler/support.hpp"

namespace sdk = profile_relay::sdk;
using sdk::testing::busy_thread;
using sdk::testing::in_child;
using sdk::testing::recording_sink;

namespace {

struct running {
  running() { REQUIRE(sampler->start(sink) == sdk::sampler_status::running); }
  running(running const&) = delete;
  running& operator=(running const&) = delete;
  ~running() { sampler->stop(); }
  recording_sink sink;
  std::unique_ptr<sdk::sampler> sampler = sdk::make_signal_sampler();
};

struct pipe_pair {
  pipe_pair() { REQUIRE(::pipe(fd) == 0); }
  pipe_pair(pipe_pair const&) = delete;
  pipe_pair& operator=(pipe_pair const&) = delete;
  ~pipe_pair() {
    ::close(fd[0]);
    ::close(fd[1]);
  }
  int fd[2];
};

void block_signal(int how) {
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, SIGPROF);
  ::pthread_sigmask(how, &set, nullptr);
}

}  // namespace

TEST_CASE_METHOD(running, "every thread but the sampler's own is sampled, and the counts agree") {
  busy_thread const one([] {}), two([] {});
  for (auto const tid : {one.tid(), two.tid(), static_cast<std::int32_t>(::gettid())})
    sink.wait_for_samples_of(tid, 3);
  sink.wait_for_ticks(30);
  sampler->stop();
  CHECK(sink.counts_agree);
  CHECK(sink.by_tid.size() == 3);
  CHECK(sink.first_time > 0);
  CHECK(sink.last_time <= sdk::boottime_ns());
  auto const& s = static_cast<sdk::signal_sampler&>(*sampler).statistics();
  CHECK(s.counts.samples == sink.sum.samples);
  CHECK(s.counts.ticks == s.counts.samples + s.counts.missed);
  CHECK(s.rounds == sink.calls);
  // Three are asked; the sampler's own thread would be a fourth each time.
  CHECK(s.counts.ticks < 3 * s.rounds + s.rounds / 2);
  CHECK(s.thread_cpu_ns > 0);
  CHECK(s.handler_p99_ns >= s.handler_p50_ns);
  CHECK(s.handler_ns >= s.counts.samples);
}

TEST_CASE_METHOD(running, "a read() that waits is sampled and goes on") {
  pipe_pair pipe;
  ssize_t got = -2;
  std::atomic<std::int32_t> tid{0};
  std::thread reader([&] {
    tid = ::gettid();
    char c = 0;
    got = ::read(pipe.fd[0], &c, 1);
  });
  while (tid == 0) std::this_thread::yield();
  sink.wait_for_samples_of(tid, 5);
  REQUIRE(::write(pipe.fd[1], "x", 1) == 1);
  reader.join();
  CHECK(got == 1);
}

TEST_CASE_METHOD(running, "nanosleep() and poll() end with EINTR: no flag restarts them") {
  struct row {
    char const* name;
    int (*wait)(int fd);
  };
  auto const& [name, wait] = GENERATE(values<row>({
      {"nanosleep",
       [](int) {
         timespec const hour{3'600, 0};
         return ::nanosleep(&hour, nullptr);
       }},
      {"poll",
       [](int fd) {
         pollfd p{fd, POLLIN, 0};
         return ::poll(&p, 1, -1);
       }},
  }));
  INFO(name);
  pipe_pair const pipe;
  auto const result = wait(pipe.fd[0]);
  auto const error = errno;
  CHECK(result == -1);
  CHECK(error == EINTR);
}

// Walking by frame pointers, which asks the kernel about each page and so sets errno.
TEST_CASE("handlers leave errno alone") {
  recording_sink sink;
  auto const sampler = sdk::make_signal_sampler(sdk::stack_walk::frame_pointers);
  REQUIRE(sampler->start(sink) == sdk::sampler_status::running);
  std::atomic<bool> changed{false};
  busy_thread const busy([&] {
    errno = 4'711;
    for (int i = 0; i < 10'000; ++i)
      if (errno != 4'711) changed = true;
  });
  sink.wait_for_samples_of(busy.tid(), 30);
  sampler->stop();
  CHECK_FALSE(changed);
}

TEST_CASE_METHOD(running, "a thread that blocks SIGPROF is missed, counted, and sampled again afterwards") {
  std::atomic<bool> blocked{true};
  bool is_blocked = false;
  busy_thread const thread([&] {
    if (blocked == is_blocked) return;
    is_blocked = blocked;
    block_signal(is_blocked ? SIG_BLOCK : SIG_UNBLOCK);
  });
  // It may have been asked before it had blocked the signal.
  sink.wait_for_ticks(5);
  std::uint64_t samples = 0, missed = 0;
  sink.wait([&](auto const& s) {
    if (samples == 0 && missed == 0) {
      auto const at = s.by_tid.find(thread.tid());
      samples = at == s.by_tid.end() ? 0 : at->second;
      missed = s.sum.missed;
      return false;
    }
    return s.sum.missed >= missed + 10;
  });
  {
    std::lock_guard const lock(sink.guard);
    CHECK(sink.by_tid[thread.tid()] == samples);
  }
  auto const asked_again = sdk::boottime_ns();
  blocked = false;
  sink.wait_for_samples_of(thread.tid(), 3);
  std::lock_guard const lock(sink.guard);
  CHECK(sink.latest[thread.tid()].boottime_ns > asked_again);
  CHECK(sink.counts_agree);
}

TEST_CASE_METHOD(running, "a thousand short threads") {
  int ran = 0;
  for (int round = 0; round < 50; ++round) {
    std::vector<std::thread> some;
    std::atomic<int> here{0};
    for (int i = 0; i < 20; ++i) some.emplace_back([&] { ++here; });
    for (auto& t : some) t.join();
    ran += here;
    // So that they fall among many ticks.
    sink.wait_for_ticks(1);
  }
  sink.wait_for_samples_of(static_cast<std::int32_t>(::gettid()), 2);
  sampler->stop();
  CHECK(ran == 1'000);
  CHECK(sink.counts_agree);
}

TEST_CASE_METHOD(running, "threads that end with an answer owing are forgotten") {
  {
    std::vector<std::unique_ptr<busy_thread>> blocking;
    for (int i = 0; i < 10; ++i)
      blocking.push_back(std::make_unique<busy_thread>([] { block_signal(SIG_BLOCK); }));
    sink.wait_for_ticks(3);
  }
  sink.wait_for_ticks(2);
  // Only this thread is left to be asked; no ended one is waited for.
  std::uint64_t asked = 0, calls = 0;
  {
    std::lock_guard const lock(sink.guard);
    asked = sink.sum.ticks;
    calls = sink.calls;
  }
  sink.wait_for_ticks(20);
  sampler->stop();
  CHECK(sink.sum.ticks - asked < 2 * (sink.calls - calls));
}

TEST_CASE_METHOD(running, "somebody else's SIGPROF is no sample and does no harm") {
  sink.wait_for_ticks(2);
  for (int i = 0; i < 100; ++i) ::kill(::getpid(), SIGPROF);
  sigval value{};
  value.sival_ptr = reinterpret_cast<void*>(UINTPTR_MAX);
  for (int i = 0; i < 100; ++i) ::sigqueue(::getpid(), SIGPROF, value);
  sink.wait_for_ticks(5);
  sampler->stop();
  CHECK(sink.counts_agree);
}

TEST_CASE("a crash while sampling reaches the host's handler on its alternate stack") {
  for (int round = 0; round < 5; ++round) {
    auto const status = in_child([] {
      std::vector<std::byte> stack(std::size_t{64} << 10);
      stack_t alternate{};
      alternate.ss_sp = stack.data();
      alternate.ss_size = stack.size();
      ::sigaltstack(&alternate, nullptr);
      struct sigaction crash {};
      crash.sa_handler = [](int) { ::_exit(42); };
      crash.sa_flags = SA_ONSTACK;
      ::sigaction(SIGSEGV, &crash, nullptr);
      recording_sink sink;
      auto const sampler = sdk::make_signal_sampler();
      if (sampler->start(sink) != sdk::sampler_status::running) return 1;
      busy_thread const one([] {}), two([] {});
      sink.wait_for_ticks(5);
      auto* const nowhere = ::mmap(nullptr, 4'096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      *static_cast<char volatile*>(nowhere) = 1;
      return 2;
    });
    CHECK(status == 42 << 8);
  }
}

TEST_CASE("after stop() the sink is not called, and sampling can begin again, many times") {
  auto const sampler = sdk::make_signal_sampler();
  for (int i = 0; i < 100; ++i) {
    recording_sink sink;
    REQUIRE(sampler->start(sink) == sdk::sampler_status::running);
    CHECK(sampler->start(sink) == sdk::sampler_status::unavailable);
    if (i % 10 == 0) sink.wait_for_samples_of(static_cast<std::int32_t>(::gettid()), 1);
    sampler->stop();
    sampler->stop();
    CHECK(sink.counts_agree);
  }
}

TEST_CASE("start() and stop() from many threads at once") {
  auto const sampler = sdk::make_signal_sampler();
  recording_sink sink;
  std::atomic<int> started{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 50; ++i) {
        if (sampler->start(sink) == sdk::sampler_status::running) ++started;
        sampler->stop();
      }
    });
  for (auto& t : threads) t.join();
  CHECK(started > 0);
  REQUIRE(sampler->start(sink) == sdk::sampler_status::running);
  sink.wait_for_ticks(2);
  sampler->stop();
  CHECK(sink.counts_agree);
}

TEST_CASE("stop() from within on_tick is the last call") {
  auto const sampler = sdk::make_signal_sampler();
  for (int i = 0; i < 3; ++i) {
    recording_sink sink;
    sink.each = [&](auto) {
      if (sink.calls == 3) sampler->stop();
    };
    REQUIRE(sampler->start(sink) == sdk::sampler_status::running);
    sink.wait([](auto const& s) { return s.calls == 3; });
    sampler->stop();
    CHECK(sink.calls == 3);
  }
}
