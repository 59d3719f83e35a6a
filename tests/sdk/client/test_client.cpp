// The client's shell around the lifecycle: who is called, what is answered.
#include <future>
#include <limits>
#include <set>
#include <thread>

#include "rig.hpp"
#include "sdk/client/system_random.hpp"

using namespace profile_relay;
using namespace profile_relay::sdk;
using namespace profile_relay::sdk::test;

TEST_CASE("R2: threads that call start at once start one sampler") {
  rig r(sampled());
  std::atomic<int> started{0}, already{0};
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i)
      threads.emplace_back([&] {
        auto const result = r->start_profiler();
        if (result == start_result::started) ++started;
        if (result == start_result::already_running) ++already;
      });
  }
  CHECK(started == 1);
  CHECK(already == 7);
  CHECK(r.w.sampler_starts == 1);
}

TEST_CASE("R3: an unsampled session makes no transport and touches no sampler") {
  auto o = sampled();
  o.profile_session_sample_rate = 0;
  rig r(o);
  CHECK(r->start_profiler() == start_result::not_sampled);
  r->close(1s);
  CHECK(r.w.transports == 0);
  CHECK(r.w.sampler_starts == 0);
}

TEST_CASE("R20: what keeps the sampler from starting is said, and there is no id") {
  rig r(sampled());
  SECTION("it refuses") { r.w.sampler_runs = false; }
  SECTION("it throws") { r.w.sampler_throws = true; }
  SECTION("the transport throws") { r.w.transport_throws = true; }
  CHECK(r->start_profiler() == start_result::sampler_unavailable);
  CHECK(r->profiler_id().empty());
  CHECK_FALSE(r->is_running());
  CHECK(r.w.log.size() == (r.w.sampler_runs ? 1u : 0u));
  r.w.sampler_runs = true;
  r.w.sampler_throws = r.w.transport_throws = false;
  CHECK(r->start_profiler() == start_result::started);
  CHECK_FALSE(r->profiler_id().empty());
}

TEST_CASE("R15: the trace sampler is asked for each root span of a sampled session, and not otherwise") {
  int asked = 0;
  auto o = traced();
  o.traces_sample_rate = 0;
  o.traces_sampler = [&](root_span_info const& info) {
    ++asked;
    return info.name == "wanted" ? 1.0 : 0.0;
  };
  SECTION("it wins over the rate; an unsampled root span starts and stops nothing") {
    rig r(o);
    CHECK(r->begin_root_span({.name = "other"}) == 0);
    CHECK(r.w.sampler_starts == 0);
    auto const id = r->begin_root_span({.name = "wanted"});
    CHECK(id != 0);
    r->begin_root_span({.name = "other"});
    r->end_root_span(0);
    r.w.run_for(61s);
    CHECK(r->is_running());
    CHECK(asked == 3);
  }
  SECTION("unsampled session") {
    o.profile_session_sample_rate = 0;
    rig r(o);
    CHECK(r->begin_root_span({.name = "wanted"}) == 0);
    CHECK(asked == 0);
  }
  SECTION("manual lifecycle") {
    o.lifecycle = profile_lifecycle::manual;
    rig r(o);
    CHECK(r->begin_root_span({.name = "wanted"}) == 0);
    CHECK(asked == 0);
  }
}

TEST_CASE("a trace sampler that throws or answers nonsense counts as 0, and debug mode says so") {
  struct row {
    rate_function sampler;
    std::string why;
  };
  for (auto const& t :
       {row{[](auto&) -> double { throw 1; }, "it threw"},
        row{[](auto&) { return std::numeric_limits<double>::quiet_NaN(); }, "it returned nan"},
        row{[](auto&) { return -0.5; }, "it returned -0.500000"},
        row{[](auto&) { return 2.0; }, "it returned 2.000000"}}) {
    for (bool const debug : {true, false}) {
      auto o = traced();
      o.debug = debug;
      o.traces_sampler = t.sampler;
      rig r(o);
      CHECK(r->begin_root_span({}) == 0);
      CHECK(r.w.log == (debug ? lines{"traces_sampler counts as 0 for this root span: " + t.why} : lines{}));
    }
  }
}

TEST_CASE("the application's callbacks may call the client, and what the log throws stays inside") {
  auto o = traced();
  o.debug = true;
  rig r(o);
  client* c = nullptr;
  int depth = 0;
  r.options.traces_sampler = [&](root_span_info const&) { return c->is_running() ? 1.0 : 0.9; };
  r.options.log = [&](std::string const&) {
    if (depth++ == 0) c->start_profiler();
    throw std::runtime_error("disk full");
  };
  r.make();
  c = r.it.get();
  CHECK(r->begin_root_span({}) != 0);
  CHECK(r->start_profiler() == start_result::trace_lifecycle);
  CHECK(depth == 2);
}

TEST_CASE("close stops, sends what is there, and gives the transport what is left of the deadline") {
  rig r(sampled());
  r->start_profiler();
  r.w.run_for(2s);
  r->close(5s);
  CHECK(r.w.sampler_stops == 1);
  CHECK(r.w.sent.size() == 1);
  REQUIRE(r.w.transport_closed);
  CHECK(*r.w.transport_closed <= 5s);
  CHECK(r->start_profiler() == start_result::closed);
  CHECK(r->stop_profiler() == stop_result::closed);
  CHECK(r->profiler_id().empty());
}

TEST_CASE("the real worker: chunks of a short life arrive, whoever wins") {
  rig r(sampled());
  auto parts = r.parts();
  parts.worker = std::make_unique<thread_worker>();
  client c(r.options, std::move(parts));
  for (int i = 0; i < 20; ++i) {
    REQUIRE(c.start_profiler() == start_result::started);
    c.stop_profiler();
  }
  c.close(1s);
  CHECK(r.w.sink == nullptr);
  CHECK(r.w.sampler_starts == r.w.sampler_stops);
}

TEST_CASE("a chunk that takes long to finish holds up no thread of the application") {
  rig r(sampled());
  auto parts = r.parts();
  parts.worker = std::make_unique<thread_worker>();
  std::promise<void> finishing, go_on;
  auto const allowed = go_on.get_future().share();
  r.w.on_finish = [&] {
    finishing.set_value();
    allowed.wait();
  };
  client c(r.options, std::move(parts));
  c.start_profiler();
  r.w.run_for(1s);
  c.stop_profiler();
  finishing.get_future().wait();
  auto calls = std::async(std::launch::async, [&] {
    auto const started = c.start_profiler();
    auto const id = c.profiler_id();
    c.begin_user_session();
    c.end_root_span(c.begin_root_span({}));
    return started == start_result::started && !id.empty() && c.is_running() &&
           c.stop_profiler() == stop_result::stopped;
  });
  auto const in_time = calls.wait_for(20s) == std::future_status::ready;
  go_on.set_value();
  CHECK(in_time);
  CHECK(calls.get());
  c.close(0s);
  CHECK(r.w.sent.size() == 1);
}

TEST_CASE("ids are 32 lower-case hex digits, draws are from 0 to below 1, and no two are the same") {
  system_random random;
  std::set<std::string> ids;
  std::set<double> draws;
  for (int i = 0; i < 1000; ++i) {
    auto const id = random.new_id();
    CHECK(id.size() == 32);
    CHECK(id.find_first_not_of("0123456789abcdef") == std::string::npos);
    ids.insert(id);
    auto const d = random.uniform();
    CHECK((d >= 0 && d < 1));
    draws.insert(d);
  }
  CHECK(ids.size() == 1000);
  CHECK(draws.size() == 1000);
}
