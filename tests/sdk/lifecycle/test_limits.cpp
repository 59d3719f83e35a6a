// What the server's answers do to the lifecycle (profiling API, 5).
#include "machine.hpp"

using namespace profile_relay;
using namespace profile_relay::sdk;
using namespace profile_relay::sdk::test;

TEST_CASE("rate limit: the profiler stops, start says so, and only a start after the end starts it") {
  machine m(manual(1));
  m.init();
  m.start();
  m.now = 10s;
  m.step(event::rate_limited{60s});
  CHECK_FALSE(m.sampling());
  CHECK(m.fsm.profiler_id().empty());
  CHECK(m.stop() == stop_result::not_running);
  m.now = 69999ms;
  CHECK(m.start() == start_result::rate_limited);
  m.now = 70s;
  m.step(event::chunk_due{});
  CHECK(m.starts == 1);
  CHECK(m.start() == start_result::started);
  CHECK(m.ids.size() == 2);
}

TEST_CASE("rate limit: the longest one counts") {
  machine m(manual(1));
  m.init();
  m.step(event::rate_limited{60s});
  m.step(event::rate_limited{5s});
  m.now = 59s;
  CHECK(m.start() == start_result::rate_limited);
}

TEST_CASE("rate limit: zero is none") {
  machine m(manual(1));
  m.init();
  m.start();
  m.step(event::rate_limited{0s});
  CHECK(m.sampling());
}

TEST_CASE("rate limit in the trace lifecycle: the next sampled root span after it starts a new profile") {
  machine m(trace(1));
  m.init();
  m.begin_span(2);
  m.step(event::rate_limited{60s});
  CHECK_FALSE(m.sampling());
  m.now = 30s;
  m.begin_span(3);
  CHECK_FALSE(m.sampling());
  m.now = 61s;
  m.end_span(3);
  CHECK_FALSE(m.sampling());
  m.begin_span(4);
  CHECK(m.sampling());
  CHECK(m.ids.size() == 2);
}

TEST_CASE("413 halves all three limits, at most once an hour, down to a second") {
  machine m(manual(1));
  m.init();
  m.step(event::too_large{});
  CHECK(m.limits == std::vector{chunk_limits{30s, 45'000, std::size_t{20} << 20}});
  m.now = 1h - 1ns;
  m.step(event::too_large{});
  CHECK(m.limits.size() == 1);
  for (int hour = 1; hour < 20; ++hour) {
    m.now = std::chrono::hours(hour);
    m.step(event::too_large{});
  }
  CHECK(m.limits.size() == 5);
  CHECK(m.fsm.limits().duration == 1875ms);
}

TEST_CASE("time that runs backwards neither lengthens a limit nor ends one") {
  machine m(manual(1));
  m.init();
  m.now = 100s;
  m.step(event::rate_limited{10s});
  m.now = 0s;
  CHECK(m.start() == start_result::rate_limited);
  m.now = 110s;
  CHECK(m.start() == start_result::started);
}
