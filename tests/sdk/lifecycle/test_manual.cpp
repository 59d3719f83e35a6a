// R1 to R3, R6, R8, R9, R12, R13: who starts and stops by hand.
#include "machine.hpp"

using namespace profile_relay;
using namespace profile_relay::sdk;
using namespace profile_relay::sdk::test;

TEST_CASE("R1: start and stop before init and after close are no-ops with their own reason") {
  machine m(manual(1));
  CHECK(m.start() == start_result::not_initialised);
  CHECK(m.stop() == stop_result::not_initialised);
  m.init();
  CHECK(m.start() == start_result::started);
  m.step(event::close{});
  CHECK(m.stops == 1);
  CHECK(m.start() == start_result::closed);
  CHECK(m.stop() == stop_result::closed);
  CHECK(m.starts == 1);
}

TEST_CASE("R2: a second start is a no-op: same profile, one sampler") {
  machine m(manual(1));
  m.init();
  CHECK(m.start() == start_result::started);
  auto const id = m.fsm.profiler_id();
  CHECK(m.start() == start_result::already_running);
  CHECK(m.fsm.profiler_id() == id);
  CHECK(m.starts == 1);
}

TEST_CASE("R3: an unsampled session never touches the sampler") {
  machine m(manual(0.5), {0.5});
  m.init();
  CHECK(m.start() == start_result::not_sampled);
  CHECK(m.stop() == stop_result::not_running);
  CHECK(m.starts == 0);
  CHECK(m.random.ids == 0);
}

TEST_CASE("R6: stop ends the profile at once, start may follow with a new id") {
  machine m(manual(1));
  m.init();
  m.start();
  auto const first = m.fsm.profiler_id();
  m.now = 7300ms;
  CHECK(m.stop() == stop_result::stopped);
  CHECK(m.stops == 1);
  CHECK(m.chunks == 1);
  CHECK(m.fsm.profiler_id().empty());
  CHECK(m.stop() == stop_result::not_running);
  CHECK(m.start() == start_result::started);
  CHECK(m.fsm.profiler_id() != first);
}

TEST_CASE("R6: a long manual profile goes from chunk to chunk under one id") {
  machine m(manual(1));
  m.init();
  m.start();
  for (int i = 0; i < 5; ++i) m.step(event::chunk_due{});
  CHECK(m.chunks == 5);
  CHECK(m.sampling());
  CHECK(m.ids.size() == 1);
}

TEST_CASE("R8: the session is drawn once, at init, and the draw counts when it is below the rate") {
  struct row {
    std::optional<double> rate;
    double draw;
    bool sampled;
  };
  auto const r = GENERATE(values<row>({{{}, 0.0, false},
                                       {0.0, 0.0, false},
                                       {1.0, 0.999999, true},
                                       {0.25, 0.249, true},
                                       {0.25, 0.25, false},
                                       {0.25, 0.9, false}}));
  machine m({.session_rate = r.rate}, {r.draw});
  m.init();
  CHECK(m.random.draws == 1);
  for (int i = 0; i < 10; ++i) {
    CHECK(m.start() == (r.sampled ? start_result::started : start_result::not_sampled));
    m.stop();
  }
  CHECK(m.random.draws == 1);
}

TEST_CASE("R9: another client draws again") {
  scripted_random random;
  random.script = {0.1, 0.9};
  auto const sampled = [&] {
    lifecycle fsm(manual(0.5), random);
    std::vector<lifecycle_action> out;
    fsm.step(event::init{}, {}, out);
    fsm.step(event::start{}, {}, out);
    return std::holds_alternative<action::start_sampler>(out.at(0));
  };
  CHECK(sampled());
  CHECK_FALSE(sampled());
  CHECK(random.draws == 2);
}

TEST_CASE("R12: the lifecycle is manual unless told otherwise") {
  CHECK(profiler_options{}.lifecycle == profile_lifecycle::manual);
  machine m({.session_rate = 1});
  m.init();
  CHECK(m.start() == start_result::started);
}

TEST_CASE("R13: root spans change nothing in the manual lifecycle") {
  machine m(manual(1));
  m.init();
  CHECK_FALSE(m.fsm.asks_trace_sampler());
  m.begin_span(2);
  CHECK(m.starts == 0);
  m.start();
  m.begin_span(3);
  m.end_span(2);
  m.end_span(3);
  m.step(event::chunk_due{});
  CHECK(m.sampling());
  CHECK(m.ids.size() == 1);
  CHECK(m.stop() == stop_result::stopped);
}

TEST_CASE("R20: the id is empty unless the sampler runs, also when it refuses") {
  machine m(manual(1));
  m.init();
  CHECK(m.fsm.profiler_id().empty());
  m.sampler_runs = false;
  CHECK(m.start() == start_result::sampler_unavailable);
  CHECK_FALSE(m.fsm.running());
  CHECK(m.fsm.profiler_id().empty());
  m.sampler_runs = true;
  CHECK(m.start() == start_result::started);
  CHECK(m.fsm.profiler_id() == m.ids.at(0));
}
