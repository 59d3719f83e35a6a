// A forked child has no profiler until it starts one, and never hangs on what its parent's threads held.
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "rig.hpp"
#include "sdk/client/client_slot.hpp"

using namespace profile_relay;
using namespace profile_relay::sdk;
using namespace profile_relay::sdk::test;

namespace {

/// Runs `body` in a child; its result, or what ended it. A child that hangs is ended by its alarm.
template <typename F>
int in_child(F&& body) {
  auto const pid = ::fork();
  REQUIRE(pid >= 0);
  if (pid == 0) {
    ::alarm(20);
    ::_exit(body());
  }
  int status = 0;
  REQUIRE(::waitpid(pid, &status, 0) == pid);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

}  // namespace

TEST_CASE("fork: the child has no profiler until it starts one, which is its own, the parent goes on") {
  rig r(sampled());
  client_slot slot(r.options, [&](profiler_options const&) { return r.parts(); });
  REQUIRE(slot.here().start_profiler() == start_result::started);
  r.w.run_for(1s);
  auto const id = slot.here().profiler_id();

  auto const child = in_child([&] {
    auto const parents_starts = r.w.sampler_starts;
    r.w.sink = nullptr;  // the parent's thread is not here
    if (slot.existing()) return 1;
    if (slot.here().is_running()) return 2;
    if (slot.here().start_profiler() != start_result::started) return 3;
    if (slot.here().profiler_id() == id) return 4;
    if (r.w.sampler_starts != parents_starts + 1) return 5;
    r.w.run_for(1s);
    slot.close(0s);
    return r.w.sent.size() == 1 ? 0 : 6;  // its own chunk, not the one that the parent had open
  });
  CHECK(child == 0);
  CHECK(slot.here().is_running());
  CHECK(slot.here().profiler_id() == id);
  slot.close(0s);
  CHECK(r.w.sent.size() == 1);
}

TEST_CASE("fork: a child of a closed client stays closed, root spans of the parent end nothing in it") {
  rig r(traced());
  client_slot slot(r.options, [&](profiler_options const&) { return r.parts(); });
  auto span = slot.begin_root_span({});
  REQUIRE(span.sampled());
  CHECK(in_child([&] {
          r.w.sink = nullptr;
          auto own = slot.begin_root_span({});
          if (!own.sampled()) return 1;
          span.end();
          if (slot.here().is_running() == false) return 2;
          return 0;
        }) == 0);
  CHECK(slot.here().is_running());
  slot.close(0s);
  CHECK(in_child([&] { return slot.here().stop_profiler() == stop_result::closed ? 0 : 1; }) == 0);
}

TEST_CASE("fork: at a moment when a lock of the client is held, the child can still do everything") {
  rig r(traced());
  client_slot slot(r.options, [&](profiler_options const&) { return r.parts(); });
  auto span = slot.begin_root_span({});
  int child = -1;
  r.w.on_clock = [&] {  // the lifecycle is locked while its clock is read
    child = in_child([&] {
      r.w.sink = nullptr;
      span.end();
      if (slot.existing()) return 1;
      if (!slot.begin_root_span({}).sampled()) return 2;
      slot.close(0s);
      return 0;
    });
  };
  slot.here().begin_user_session();
  CHECK(child == 0);
}

TEST_CASE("fork: while other threads are inside the client, every child can start, stop and close") {
  rig r(sampled());
  r.options.log = [](std::string const&) {};
  client_slot slot(r.options, [&](profiler_options const&) { return r.parts(); });
  std::atomic<bool> ending{false};
  {
    std::vector<std::jthread> busy;
    for (int i = 0; i < 2; ++i)
      busy.emplace_back([&] {
        while (!ending) {
          slot.here().begin_user_session();
          static_cast<void>(slot.here().profiler_id());
        }
      });
    for (int i = 0; i < 100; ++i)
      REQUIRE(in_child([&] {
                if (slot.here().start_profiler() != start_result::started) return 1;
                if (slot.here().stop_profiler() != stop_result::stopped) return 2;
                slot.close(0s);
                return 0;
              }) == 0);
    ending = true;
  }
}

TEST_CASE("root spans: moved, ended twice, and outliving their client") {
  rig r(traced());
  root_span outliving;
  {
    client_slot slot(r.options, [&](profiler_options const&) { return r.parts(); });
    auto a = slot.begin_root_span({});
    auto b = std::move(a);
    CHECK_FALSE(a.sampled());  // NOLINT(bugprone-use-after-move): what is left is what is tested
    CHECK(b.sampled());
    a.end();
    r.w.run_for(61s);
    CHECK(slot.here().is_running());
    b.end();
    b.end();
    CHECK_FALSE(b.sampled());
    r.w.run_for(60s);
    CHECK_FALSE(slot.here().is_running());
    {
      auto const c = slot.begin_root_span({});
      b = slot.begin_root_span({});
      b = root_span();  // ends what it held
    }
    r.w.run_for(61s);
    CHECK_FALSE(slot.here().is_running());
    outliving = slot.begin_root_span({});
  }
  outliving.end();
}
