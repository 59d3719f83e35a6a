// What is in a chunk and when it ends.
#include <set>
#include <thread>

#include "rig.hpp"

using namespace profile_relay;
using namespace profile_relay::sdk;
using namespace profile_relay::sdk::test;

namespace {

struct shape {
  long start_ms = 0, end_ms = 0, samples = 0;
  [[nodiscard]] long ms() const { return end_ms - start_ms; }
};
shape of(profile_chunk const& c) {
  shape s;
  REQUIRE(std::sscanf(c.trace.c_str(), "%ld %ld %ld", &s.start_ms, &s.end_ms, &s.samples) == 3);
  return s;
}

}  // namespace

TEST_CASE("R6: stop at 7.3 s sends one chunk of 7.3 s, the next start has a new profiler_id") {
  rig r(sampled());
  REQUIRE(r->start_profiler() == start_result::started);
  auto const id = r->profiler_id();
  r.w.run_for(7300ms);
  REQUIRE(r->stop_profiler() == stop_result::stopped);
  CHECK(r.w.sampler_stops == 1);
  REQUIRE(r.w.sent.size() == 1);
  CHECK(of(r.w.sent[0]).ms() == 7300);
  CHECK(of(r.w.sent[0]).samples == 737);
  CHECK(r.w.sent[0].profiler_id == id);
  r->start_profiler();
  CHECK(r->profiler_id() != id);
}

TEST_CASE("a long profile: one profiler_id, a new chunk_id each, no gap between chunks, and all samples") {
  rig r(sampled());
  r.options.release = "r1";
  r.options.environment = "e1";
  r.make();
  r->start_profiler();
  r.w.run_for(185s, 3);
  r->stop_profiler();
  REQUIRE(r.w.sent.size() == 4);
  std::set<std::string> chunk_ids;
  long samples = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    auto const& c = r.w.sent[i];
    chunk_ids.insert(c.chunk_id);
    CHECK(c.profiler_id == r.w.sent[0].profiler_id);
    CHECK(c.chunk_id != c.profiler_id);
    CHECK(c.release == "r1");
    CHECK(c.environment == "e1");
    samples += of(c).samples;
    if (i < 3) {
      CHECK(of(c).ms() >= 60'000);
      CHECK(of(c).ms() <= 60'010);
      CHECK(of(r.w.sent[i + 1]).start_ms == of(c).end_ms);
    }
  }
  CHECK(chunk_ids.size() == 4);
  CHECK(samples == static_cast<long>(r.w.appended));
}

TEST_CASE("a chunk ends at 90,000 samples or 40 MiB before its time is over") {
  rig r(sampled());
  r->start_profiler();
  SECTION("samples") {
    r.w.run_for(62s, 16);  // 1616 a second
    REQUIRE(r.w.sent.size() == 1);
    CHECK(of(r.w.sent[0]).samples == 90'000);
    CHECK(of(r.w.sent[0]).ms() < 56'000);
  }
  SECTION("no tick is split") {
    r.w.run_for(62s, 17);
    REQUIRE(r.w.sent.size() == 1);
    CHECK(of(r.w.sent[0]).samples == 90'000 / 17 * 17);
  }
  SECTION("bytes") {
    r.w.bytes_per_sample = 1 << 20;
    r.w.run_for(1s);
    REQUIRE(r.w.sent.size() == 2);
    CHECK(of(r.w.sent[0]).samples == 40);
  }
  SECTION("or when its trace is near another limit of readers") {
    r.w.full_at = 50;
    r.w.run_for(1s);
    REQUIRE(r.w.sent.size() == 2);
    CHECK(of(r.w.sent[0]).samples == 50);
  }
}

TEST_CASE(
    "hard stop: a chunk that cannot be cut takes nothing after 66 s, the sampler's thread never waits") {
  rig r(sampled());
  r->start_profiler();
  r.w.run_for(59s);
  auto const before = r.w.appended;
  // The clock is read while the lifecycle is locked: as long as this runs, no chunk can be cut.
  r.w.on_clock = [&] { std::thread([&] { r.w.run_for(20s); }).join(); };
  r->begin_user_session();
  CHECK(r.w.sent.empty());
  CHECK(r.w.appended - before == 707);  // 7 s
  CHECK(r->dropped_samples() == 1313);  // 13 s
  r.w.tick();
  REQUIRE(r.w.sent.size() == 1);
  CHECK(of(r.w.sent[0]).samples == static_cast<long>(before) + 707);
  REQUIRE(r.w.log.size() == 1);
  CHECK(Catch::Matchers::Contains(", 1313 dropped").match(r.w.log[0]));
}

TEST_CASE("a machine that slept for an hour: the chunk of before ends, the next begins") {
  rig r(sampled());
  r->start_profiler();
  r.w.run_for(30s);
  r.w.pass(1h);
  r.w.tick();
  REQUIRE(r.w.sent.size() == 1);
  CHECK(of(r.w.sent[0]).samples == 3030);
  r->stop_profiler();
  REQUIRE(r.w.sent.size() == 2);
  CHECK(of(r.w.sent[1]).samples == 1);
}

TEST_CASE("a profile without a sample sends nothing") {
  rig r(sampled());
  r->start_profiler();
  r.w.tick(0);
  r->stop_profiler();
  CHECK(r.w.sent.empty());
}

TEST_CASE("R16: in the trace lifecycle the last chunk is completed, then sampling stops") {
  rig r(traced());
  auto const id = r->begin_root_span({});
  REQUIRE(id != 0);
  r.w.run_for(10s);
  r->end_root_span(id);
  CHECK(r->is_running());
  r.w.run_for(49s);
  CHECK(r.w.sent.empty());
  r.w.run_for(2s);
  REQUIRE(r.w.sent.size() == 1);
  CHECK(of(r.w.sent[0]).ms() >= 60'000);
  CHECK(of(r.w.sent[0]).ms() <= 60'010);
  CHECK_FALSE(r->is_running());
  CHECK(r.w.sampler_stops == 1);
  CHECK(r.w.sink == nullptr);
}

TEST_CASE("missed and truncated samples are counted for each chunk and logged in debug mode") {
  for (bool const debug : {true, false}) {
    auto o = sampled();
    o.debug = debug;
    rig r(o);
    r->start_profiler();
    r.w.tick(2, 1, 1);
    r.w.tick(3, 0, 2);
    r->stop_profiler();
    auto const line = "chunk id2: 19 ms, 5 samples, 1 missed, 3 truncated, 0 dropped";
    CHECK(r.w.log == (debug ? lines{line} : lines{}));
  }
}

TEST_CASE("413: chunks are half as long from the next on") {
  rig r(sampled());
  r->start_profiler();
  r.w.run_for(1s);
  r.w.events.too_large();
  r.w.run_for(90s);
  REQUIRE(r.w.sent.size() >= 2);
  CHECK(of(r.w.sent[0]).ms() <= 30'010);
  CHECK(of(r.w.sent[1]).ms() <= 30'010);
}

TEST_CASE("rate limit: sampling stops, what was sampled is handed over, nothing restarts by itself") {
  rig r(sampled());
  r->start_profiler();
  r.w.run_for(1s);
  r.w.events.rate_limited(60s);
  CHECK_FALSE(r->is_running());
  CHECK(r.w.sampler_stops == 1);
  CHECK(r.w.sent.size() == 1);
  CHECK(r->start_profiler() == start_result::rate_limited);
  r.w.pass(61s);
  CHECK_FALSE(r->is_running());
  CHECK(r->start_profiler() == start_result::started);
}

TEST_CASE("samples that come between a stop and the end of the sampler are in no chunk") {
  rig r(sampled(), true);
  r->start_profiler();
  r.w.run_for(1s);
  r->stop_profiler();
  REQUIRE(r.w.sink != nullptr);
  r.w.run_for(1s);
  r->close(0s);
  REQUIRE(r.w.sent.size() == 1);
  CHECK(of(r.w.sent[0]).samples == 101);
}

TEST_CASE("a start right after a stop keeps the sampler: two profiles, one start of it") {
  rig r(sampled(), true);
  r->start_profiler();
  r.w.run_for(1s);
  r->stop_profiler();
  CHECK(r->start_profiler() == start_result::started);
  r.w.run_for(2s);
  r->close(0s);
  REQUIRE(r.w.sent.size() == 2);
  CHECK(r.w.sent[0].profiler_id != r.w.sent[1].profiler_id);
  CHECK(of(r.w.sent[1]).samples == 202);
  CHECK(r.w.sampler_starts == 1);
  CHECK(r.w.sampler_stops == 1);
}
