// What a client holds is bounded whatever happens around it.
#include "rig.hpp"

using namespace profile_relay;
using namespace profile_relay::sdk;
using namespace profile_relay::sdk::test;

TEST_CASE("memory of an hour's run: no more than one open chunk, and nothing left waiting") {
  rig r(sampled());
  r.w.bytes_per_sample = 400;
  r->start_profiler();
  std::size_t most = 0;
  for (int minute = 0; minute < 60; ++minute) {
    r.w.run_for(60s, 16);
    most = std::max(most, r->waiting_bytes());
  }
  r->stop_profiler();
  CHECK(most == 0);
  CHECK(r->dropped_samples() == 0);
  CHECK(r.w.sent.size() >= 60);
  for (auto const& c : r.w.sent) {
    long a = 0, b = 0, n = 0;
    REQUIRE(std::sscanf(c.trace.c_str(), "%ld %ld %ld", &a, &b, &n) == 3);
    REQUIRE(n * 400 <= static_cast<long>(chunk_limits{}.bytes) + 16 * 400);
  }
}

TEST_CASE(
    "a worker that gets no time for an hour: the oldest chunks go, each is said, memory stays bounded") {
  rig r(sampled(), true);
  r.w.bytes_per_sample = 1000;
  r->start_profiler();
  std::size_t most = 0;
  for (int minute = 0; minute < 60; ++minute) {
    r.w.run_for(60s, 4);  // some 24 MB a chunk
    most = std::max(most, r->waiting_bytes());
  }
  CHECK(most > max_waiting_bytes / 2);
  CHECK(most <= max_waiting_bytes);
  CHECK(r->dropped_samples() > 1'000'000);
  auto const all = r.w.appended;
  r->close(0s);
  REQUIRE(r.w.log.size() > 50);
  CHECK_THAT(r.w.log,
             Catch::VectorContains(std::string("chunk id2 is dropped: too many chunks wait to be finished")));
  long kept = 0;
  for (auto const& c : r.w.sent) {
    long a = 0, b = 0, n = 0;
    REQUIRE(std::sscanf(c.trace.c_str(), "%ld %ld %ld", &a, &b, &n) == 3);
    kept += n;
  }
  CHECK(static_cast<std::uint64_t>(kept) + r->dropped_samples() == all);
}

TEST_CASE("starts and stops without a pause: many small chunks are bounded too") {
  rig r(sampled(), true);
  r.w.bytes_per_sample = 1;
  for (int i = 0; i < 30'000; ++i) {
    r->start_profiler();
    r.w.tick();
    r->stop_profiler();
  }
  CHECK(r->waiting_bytes() <= max_waiting_bytes);
  CHECK(r->dropped_samples() > 0);
}

TEST_CASE("a builder without memory costs its chunk, which is counted, the profile goes on") {
  rig r(sampled());
  r.w.append_throws_at = 50;
  r->start_profiler();
  r.w.run_for(2s);
  r->stop_profiler();
  REQUIRE(r.w.sent.size() == 1);
  CHECK(r->dropped_samples() == 50);
  CHECK(r.w.sent[0].trace.substr(r.w.sent[0].trace.rfind(' ')) == " 152");
  REQUIRE(r.w.log.size() == 1);
  CHECK(r.w.log[0] == "chunk id2 is lost: its trace could not be written");
}

TEST_CASE("no memory for the next chunk: the open one goes on until there is, only that tick is lost") {
  rig r(sampled());
  r->start_profiler();
  r.w.run_for(59s);
  r.w.id_throws = true;
  r.w.run_for(2s);
  CHECK_FALSE(r.w.id_throws);
  CHECK(r->dropped_samples() == 1);
  CHECK(r->is_running());
  r->stop_profiler();
  REQUIRE(r.w.sent.size() == 2);
  CHECK(r.w.sent[0].profiler_id == r.w.sent[1].profiler_id);
}

TEST_CASE("steps of the wall clock move nothing") {
  rig r(sampled());
  auto parts = r.parts();
  std::int64_t wall = 0;
  parts.clock = [&] { return clock_reading{r.w.now_ns, wall, r.w.now_ns}; };
  client c(r.options, std::move(parts));
  c.start_profiler();
  for (int i = 0; i < 10; ++i) {
    wall = (i % 2 ? -1 : 1) * std::int64_t{3600} * 1'000'000'000;
    r.w.run_for(5s);
  }
  CHECK(r.w.sent.empty());
  r.w.run_for(11s);
  CHECK(r.w.sent.size() == 1);
}
