#include "perfetto_decode/clock_graph.hpp"

#include <catch2/catch.hpp>

using namespace profile_relay::perfetto_decode;

namespace {

constexpr std::int64_t r = 1'700'000'000'000'000'000;
constexpr std::uint32_t realtime = 1, monotonic = 3, raw = 5, boottime = 6;
constexpr std::uint64_t ur = 1'700'000'000'000'000'000u;

struct fixture {
  memory_budget budget{1u << 20};
  counters counts;
  clock_graph g{budget};

  clock_graph::node node(std::uint32_t id, std::uint32_t sequence = 0, std::uint32_t machine = 0) {
    return g.node_of(machine, sequence, id);
  }
  std::optional<std::int64_t> trace(std::uint32_t id, std::int64_t t) {
    counter why{};
    return g.to_trace(node(id), t, why);
  }
  std::int64_t wall(std::uint32_t id, std::int64_t t) { return g.to_wall(trace(id, t).value()).value(); }
};

/// The worked example of the specification (perfetto-decoding 5.5).
struct example : fixture {
  explicit example(bool with_c = true) {
    REQUIRE(g.add_snapshot({0, 1, boottime},
                           {{boottime, 1'000'000'000}, {monotonic, 400'000'000}, {realtime, ur}}));
    REQUIRE(g.add_snapshot({0, 1, 0}, {{monotonic, 500'000'000}, {raw, 490'000'000}}));
    if (with_c)
      REQUIRE(g.add_snapshot(
          {0, 1, boottime},
          {{boottime, 9'000'000'000}, {monotonic, 600'000'000}, {realtime, ur + 8'000'000'500u}}));
    REQUIRE(g.add_snapshot({0, 2, 0}, {{boottime, 1'000'000'100}, {64, 20, 1000, true}}));
  }
};

}  // namespace

TEST_CASE("the worked example, to the nanosecond") {
  example e;
  auto const n64 = e.node(64, 2);
  auto const first = e.g.step(n64, 4), second = e.g.step(n64, 6);
  e.g.finish(0, e.counts);
  struct row {
    std::uint32_t clock;
    std::int64_t reading, trace, wall;
  };
  for (auto const& x : {row{monotonic, 400'000'500, 1'000'000'500, r + 500},
                        row{monotonic, 599'999'999, 1'199'999'999, r + 199'999'999},
                        row{raw, 540'000'000, 1'150'000'000, r + 150'000'000},
                        row{raw, 600'000'000, 9'010'000'000, r + 8'010'000'500},
                        row{raw, 380'000'000, 990'000'000, r - 10'000'000}}) {
    INFO("clock " << x.clock << " reading " << x.reading);
    CHECK(e.trace(x.clock, x.reading).value() == x.trace);
    CHECK(e.wall(x.clock, x.reading) == x.wall);
  }
  counter why{};
  CHECK(e.g.to_trace(n64, first, why).value() == 1'000'004'100);
  CHECK(e.g.to_trace(n64, second, why).value() == 1'000'010'100);
  CHECK(e.g.to_wall(1'000'010'100).value() == r + 10'100);
}

TEST_CASE("without snapshot C the suspend is not seen") {
  example with(true), without(false);
  with.g.finish(0, with.counts);
  without.g.finish(0, without.counts);
  CHECK(with.trace(raw, 600'000'000).value() == 9'010'000'000);
  CHECK(without.trace(raw, 600'000'000).value() == 1'210'000'000);
}

TEST_CASE("snapshots that contradict are ignored") {
  struct row {
    const char* what;
    std::vector<clock_graph::reading> readings;
  };
  for (auto const& x :
       {row{"a clock listed twice", {{boottime, 5'000'000'000}, {monotonic, 1}, {monotonic, 2}}},
        row{"a unit that changes", {{boottime, 5'000'000'000}, {monotonic, 1, 1000}}},
        row{"a global clock that is incremental", {{boottime, 5'000'000'000}, {130, 1, 1, true}}},
        row{"a trace clock with a unit", {{boottime, 5'000'000'000, 1000}}},
        row{"a trace clock that goes backwards",
            {{boottime, 999'999'999}, {monotonic, 500'000'000}, {realtime, ur + 1}}}}) {
    INFO(x.what);
    example e(false);
    CHECK_FALSE(e.g.add_snapshot({0, 1, 0}, x.readings));
    e.g.finish(0, e.counts);
    CHECK(e.trace(monotonic, 400'000'500).value() == 1'000'000'500);
  }
}

TEST_CASE("a clock that went backwards is a target only") {
  fixture f;
  REQUIRE(f.g.add_snapshot({0, 1, boottime}, {{boottime, 1000}, {realtime, ur}}));
  REQUIRE(f.g.add_snapshot({0, 1, boottime}, {{boottime, 2000}, {realtime, ur - 500}}));
  f.g.finish(0, f.counts);
  counter why{};
  CHECK_FALSE(f.g.to_trace(f.node(realtime), r, why).has_value());
  CHECK(why == counter::clock_sync_failure_no_path);
  CHECK(f.counts[counter::realtime_step_back] == 1);
  CHECK(f.counts.realtime_step_back_ns == 500);
  // Before the step, time runs on from the first reading but may not overtake the second.
  CHECK(f.g.to_wall(1000).value() == r - 500);
  CHECK(f.g.to_wall(2000).value() == r - 500);
  CHECK(f.g.to_wall(2100).value() == r - 400);
  CHECK(f.g.straight_to_wall(f.node(realtime), r + 5).value() == r + 5);
}

TEST_CASE("each failure has its name") {
  fixture f;
  counter why{};
  SECTION("no snapshot knows the source") {
    REQUIRE(f.g.add_snapshot({0, 1, boottime}, {{boottime, 1000}}));
    auto const n = f.node(42);
    f.g.finish(0, f.counts);
    CHECK_FALSE(f.g.to_trace(n, 1, why).has_value());
    CHECK(why == counter::clock_sync_failure_unknown_source_clock);
  }
  SECTION("no snapshot knows the target") {
    REQUIRE(f.g.add_snapshot({0, 1, 0}, {{monotonic, 1000}, {realtime, ur}}));
    f.g.finish(0, f.counts);
    CHECK_FALSE(f.g.to_trace(f.node(monotonic), 1500, why).has_value());
    CHECK(why == counter::clock_sync_failure_unknown_target_clock);
    CHECK(f.g.straight_to_wall(f.node(monotonic), 1500).value() == r + 500);
  }
  SECTION("no chain of snapshots") {
    REQUIRE(f.g.add_snapshot({0, 1, boottime}, {{boottime, 1000}, {realtime, ur}}));
    REQUIRE(f.g.add_snapshot({0, 1, 0}, {{200, 10}, {201, 20}}));
    f.g.finish(0, f.counts);
    CHECK_FALSE(f.g.to_trace(f.node(200), 11, why).has_value());
    CHECK(why == counter::clock_sync_failure_no_path);
  }
}

TEST_CASE("other machines: by clock sync, by REALTIME, or aligned") {
  fixture f;
  REQUIRE(f.g.add_snapshot({0, 1, boottime}, {{boottime, 1000}, {realtime, ur}}));
  SECTION("aligned") {
    auto const n = f.node(boottime, 0, 7);
    f.g.finish(0, f.counts);
    counter why{};
    CHECK(f.g.to_trace(n, 1234, why).value() == 1234);
  }
  SECTION("by REALTIME") {
    REQUIRE(f.g.add_snapshot({7, 1, boottime}, {{boottime, 50}, {realtime, ur + 300}}));
    auto const n = f.node(boottime, 0, 7);
    f.g.finish(0, f.counts);
    counter why{};
    CHECK(f.g.to_trace(n, 60, why).value() == 1310);
  }
  SECTION("by clock sync") {
    f.g.add_bridge(7, boottime, 1000, -400);
    auto const n = f.node(boottime, 0, 7);
    f.g.finish(0, f.counts);
    counter why{};
    CHECK(f.g.to_trace(n, 700, why).value() == 1100);
  }
}

TEST_CASE("at most four hops") {
  for (bool const five : {false, true}) {
    fixture f;
    REQUIRE(f.g.add_snapshot({0, 1, boottime}, {{boottime, 0}, {200, 0}}));
    REQUIRE(f.g.add_snapshot({0, 1, 0}, {{200, 0}, {201, 0}}));
    REQUIRE(f.g.add_snapshot({0, 1, 0}, {{201, 0}, {202, 0}}));
    REQUIRE(f.g.add_snapshot({0, 1, 0}, {{202, 0}, {203, 0}}));
    REQUIRE(f.g.add_snapshot({0, 1, 0}, {{203, 0}, {204, 0}}));
    f.g.finish(0, f.counts);
    CHECK(f.trace(five ? 204 : 203, 5).has_value() == !five);
  }
}
