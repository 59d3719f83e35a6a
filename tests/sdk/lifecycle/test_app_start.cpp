// R18, R19: the launch that the last launch decided.
#include "machine.hpp"

using namespace profile_relay;
using namespace profile_relay::sdk;
using namespace profile_relay::sdk::test;

namespace {

lifecycle_settings launching(lifecycle_settings s) {
  s.start_on_app_start = s.has_state_dir = true;
  return s;
}

}  // namespace

TEST_CASE("R18: eight combinations of flag, lifecycle and stored decision") {
  for (bool const flag : {false, true}) {
    for (bool const traced : {false, true}) {
      for (bool const decision : {false, true}) {
        INFO("flag " << flag << " trace " << traced << " decision " << decision);
        auto settings = traced ? trace(0.5) : manual(0.5);
        settings.start_on_app_start = flag;
        settings.has_state_dir = true;
        machine m(settings, {0.1, 0.1});
        m.init(launch_decision{decision, decision}, 1);
        CHECK(m.sampling() == (flag && decision));
        CHECK(m.stored.size() == (flag ? 1u : 0u));
        CHECK(m.fsm.is_active(lifecycle::app_start_span) == (flag && decision && traced));
      }
    }
  }
}

TEST_CASE("R18: without a stored decision nothing starts, and this launch's draw counts for this session") {
  machine m(launching(manual(0.5)), {0.1});
  m.init();
  CHECK_FALSE(m.sampling());
  CHECK(m.start() == start_result::started);
}

TEST_CASE("R18: the draw of this launch is stored for the next, the stored one counts for this") {
  struct row {
    double session_draw;
    double span_draw;
    bool traced;
    launch_decision stored;
    int draws;
  };
  auto const r = GENERATE(values<row>({{0.4, 0.9, false, {true, true}, 1},
                                       {0.6, 0.9, false, {false, false}, 1},
                                       {0.4, 0.2, true, {true, true}, 2},
                                       {0.4, 0.3, true, {true, false}, 2},
                                       {0.6, 0.2, true, {false, false}, 1}}));
  machine m(launching(r.traced ? trace(0.5) : manual(0.5)), {r.session_draw, r.span_draw});
  m.init(launch_decision{false, false}, 0.3);
  CHECK(m.stored == std::vector{r.stored});
  CHECK(m.random.draws == r.draws);
  CHECK(m.starts == 0);
  if (!r.traced) CHECK(m.start() == start_result::not_sampled);
}

TEST_CASE(
    "R18: a session that was drawn for, whose app start was not, is sampled without a profile of the start") {
  machine m(launching(trace(0.5)), {0.9});
  m.init(launch_decision{true, false}, 1);
  CHECK_FALSE(m.sampling());
  m.begin_span(2);
  CHECK(m.sampling());
}

TEST_CASE("R18: what is switched off now stays off, whatever was stored") {
  machine m(launching(manual(0)));
  m.init(launch_decision{true, true}, 1);
  CHECK(m.starts == 0);
  CHECK(m.start() == start_result::not_sampled);
}

TEST_CASE("R19: app start in the manual lifecycle runs until it is stopped") {
  machine m(launching(manual(1)));
  m.init(launch_decision{true, true});
  m.step(event::app_start_finished{});
  m.step(event::chunk_due{});
  CHECK(m.sampling());
  CHECK(m.stop() == stop_result::stopped);
}

TEST_CASE("R19: app start in the trace lifecycle ends with its root span, at the end of the chunk") {
  machine m(launching(trace(1)));
  m.init(launch_decision{true, true}, 1);
  m.step(event::chunk_due{});
  CHECK(m.sampling());
  m.step(event::app_start_finished{});
  CHECK(m.sampling());
  m.step(event::app_start_finished{});
  m.step(event::chunk_due{});
  CHECK_FALSE(m.sampling());
}

TEST_CASE("R19: another root span goes on with the profile of the app start") {
  machine m(launching(trace(1)));
  m.init(launch_decision{true, true}, 1);
  m.begin_span(2);
  m.step(event::app_start_finished{});
  m.step(event::chunk_due{});
  CHECK(m.sampling());
  CHECK(m.ids.size() == 1);
}
