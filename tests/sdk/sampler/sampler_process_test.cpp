// fork(), vfork() and exec() while the real sampler runs.
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "tests/sdk/sampler/support.hpp"

namespace sdk = profile_relay::sdk;
using sdk::testing::busy_thread;
using sdk::testing::in_child;
using sdk::testing::recording_sink;

namespace {

int status_of(pid_t child) {
  int status = -1;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

char const* const no_arguments[] = {"true", nullptr};

// A function of its own: whatever is live over vfork() might be clobbered.
__attribute__((noinline)) pid_t run_by_vfork() {
  auto const child = ::vfork();
  if (child == 0) {
    ::execv("/bin/true", const_cast<char* const*>(no_arguments));
    ::_exit(127);
  }
  return child;
}

pid_t run_by_spawn() {
  pid_t child = -1;
  ::posix_spawn(&child, "/bin/true", nullptr, nullptr, const_cast<char* const*>(no_arguments), environ);
  return child;
}

}  // namespace

TEST_CASE("fork: the parent goes on, the child has no sampler until it starts one") {
  recording_sink sink;
  auto const sampler = sdk::make_signal_sampler();
  REQUIRE(sampler->start(sink) == sdk::sampler_status::running);
  busy_thread const busy([] {});
  for (int i = 0; i < 10; ++i) {
    sink.wait_for_ticks(1);
    auto const same_object = i % 2 == 0;
    CHECK(in_child([&] {
            recording_sink own;
            auto const fresh = sdk::make_signal_sampler();
            auto& used = same_object ? *sampler : *fresh;
            if (i == 4) return 0;  // the plain way: nothing of it is touched
            if (i == 5) {
              sampler->stop();  // harmless
              return 0;
            }
            if (used.start(own) != sdk::sampler_status::running) return 1;
            own.wait_for_samples_of(static_cast<std::int32_t>(::gettid()), 2);
            used.stop();
            // One thread in the child, and the sampler's own is none of them.
            return own.by_tid.size() == 1 && own.counts_agree ? 0 : 2;
          }) == 0);
  }
  sink.wait_for_samples_of(busy.tid(), 3);
  sampler->stop();
  CHECK(sink.counts_agree);
}

TEST_CASE("vfork and posix_spawn: what is started is not disturbed") {
  recording_sink sink;
  auto const sampler = sdk::make_signal_sampler();
  REQUIRE(sampler->start(sink) == sdk::sampler_status::running);
  busy_thread const busy([] {});
  int good = 0;
  for (int i = 0; i < 50; ++i) {
    auto const child = i % 2 == 0 ? run_by_vfork() : run_by_spawn();
    if (status_of(child) == 0) ++good;
  }
  CHECK(good == 50);
  sink.wait_for_samples_of(busy.tid(), 3);
}

TEST_CASE("exec in place of the process after stop(): the new program gets no signal") {
  for (int i = 0; i < 10; ++i)
    CHECK(in_child([] {
            recording_sink sink;
            auto const sampler = sdk::make_signal_sampler();
            if (sampler->start(sink) != sdk::sampler_status::running) return 1;
            sink.wait_for_ticks(2);
            sampler->stop();
            ::execv("/bin/true", const_cast<char* const*>(no_arguments));
            return 2;
          }) == 0);
}
