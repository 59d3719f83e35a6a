// R4, R7, R10, R14 to R16: root spans start and stop.
#include "machine.hpp"

using namespace profile_relay;
using namespace profile_relay::sdk;
using namespace profile_relay::sdk::test;

TEST_CASE("R4, R7: start and stop are no-ops in the trace lifecycle, also while a root span is active") {
  machine m(trace(1));
  m.init();
  CHECK(m.start() == start_result::trace_lifecycle);
  CHECK(m.stop() == stop_result::trace_lifecycle);
  CHECK(m.starts == 0);
  m.begin_span(2);
  auto const id = m.fsm.profiler_id();
  CHECK(m.start() == start_result::trace_lifecycle);
  CHECK(m.stop() == stop_result::trace_lifecycle);
  CHECK(m.sampling());
  CHECK(m.fsm.profiler_id() == id);
}

TEST_CASE("R14: overlapping root spans are one profile, until the last one ends") {
  machine m(trace(1));
  m.init();
  m.begin_span(2);
  m.begin_span(3);
  m.end_span(2);
  m.step(event::chunk_due{});
  CHECK(m.sampling());
  m.end_span(3);
  m.step(event::chunk_due{});
  CHECK_FALSE(m.sampling());
  CHECK(m.ids.size() == 1);
}

TEST_CASE("R14: three rounds apart are three profiles") {
  machine m(trace(1));
  m.init();
  for (std::uint64_t round = 2; round < 5; ++round) {
    m.begin_span(round);
    m.end_span(round);
    m.step(event::chunk_due{});
  }
  CHECK(m.ids == lines{"id1", "id2", "id3"});
  CHECK(m.stops == 3);
}

TEST_CASE("R14: ending a span twice, or one that never began, ends nothing else") {
  machine m(trace(1));
  m.init();
  m.begin_span(2);
  m.begin_span(3);
  m.end_span(2);
  m.end_span(2);
  m.end_span(99);
  m.step(event::chunk_due{});
  CHECK(m.sampling());
}

TEST_CASE(
    "R15: the trace sampler is asked only in a sampled session with tracing, after init and before close") {
  struct row {
    char const* what;
    lifecycle_settings settings;
    bool asks;
  };
  auto unsampled = trace(0), untraced = trace(1), other = trace(1);
  untraced.tracing = false;
  other.transaction_profiling = true;
  for (auto const& r : {row{"sampled", trace(1), true}, row{"unsampled session", unsampled, false},
                        row{"tracing off", untraced, false}, row{"transaction profiling", other, false},
                        row{"manual", manual(1), false}}) {
    INFO(r.what);
    machine m(r.settings);
    CHECK_FALSE(m.fsm.asks_trace_sampler());
    m.init();
    CHECK(m.fsm.asks_trace_sampler() == r.asks);
    m.begin_span(2);
    CHECK(m.fsm.is_active(2) == r.asks);
    CHECK(m.starts == (r.asks ? 1 : 0));
    m.step(event::close{});
    CHECK_FALSE(m.fsm.asks_trace_sampler());
  }
}

TEST_CASE("R16: after the last root span the open chunk is completed, then the profile ends") {
  machine m(trace(1));
  m.init();
  m.begin_span(2);
  m.end_span(2);
  CHECK(m.sampling());
  CHECK(m.chunks == 0);
  m.step(event::chunk_due{});
  CHECK_FALSE(m.sampling());
  CHECK(m.chunks == 1);
  CHECK(m.fsm.profiler_id().empty());
}

TEST_CASE("R16: a new sampled root span before the end of the chunk continues the same profile") {
  machine m(trace(1));
  m.init();
  m.begin_span(2);
  m.end_span(2);
  m.begin_span(3);
  m.step(event::chunk_due{});
  CHECK(m.sampling());
  CHECK(m.ids.size() == 1);
  m.end_span(3);
  m.step(event::chunk_due{});
  CHECK_FALSE(m.sampling());
}

TEST_CASE("R10: a new user session draws again but ends nothing, the next start obeys it") {
  SECTION("manual") {
    machine m(manual(0.5), {0.1, 0.9, 0.2});
    m.init();
    m.start();
    m.step(event::user_session{});
    CHECK(m.sampling());
    CHECK(m.start() == start_result::already_running);
    m.stop();
    CHECK(m.start() == start_result::not_sampled);
    m.step(event::user_session{});
    CHECK(m.start() == start_result::started);
    CHECK(m.random.draws == 3);
  }
  SECTION("trace: to the last root span") {
    machine m(trace(0.5), {0.1, 0.9});
    m.init();
    m.begin_span(2);
    m.begin_span(3);
    m.step(event::user_session{});
    m.end_span(2);
    m.step(event::chunk_due{});
    CHECK(m.sampling());
    m.begin_span(4);  // of the unsampled session: does not keep it running
    m.end_span(3);
    m.step(event::chunk_due{});
    CHECK_FALSE(m.sampling());
    m.begin_span(5);
    CHECK(m.starts == 1);
  }
  SECTION("before init and after close it draws nothing") {
    machine m(manual(1));
    m.step(event::user_session{});
    m.init();
    m.step(event::close{});
    m.step(event::user_session{});
    CHECK(m.random.draws == 1);
  }
}

TEST_CASE("trace: a sampler that refuses leaves no id, and the next sampled root span tries again") {
  machine m(trace(1));
  m.init();
  m.sampler_runs = false;
  m.begin_span(2);
  CHECK(m.fsm.profiler_id().empty());
  m.sampler_runs = true;
  m.begin_span(3);
  CHECK(m.sampling());
}
