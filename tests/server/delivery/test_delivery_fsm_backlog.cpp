// Scripts for records that the spool holds already.
#include "tests/server/delivery/fsm_script.hpp"

using namespace profile_relay::server;
using namespace std::chrono_literals;
using profile_relay::profile::logical_topic;

TEST_CASE("a start with a broker drains what an earlier run left, oldest first") {
  fsm_script s(fsm_script::broker());
  CHECK(s.step(event::tick{}) == words{"take after 0"});
  CHECK(s.stored({{3, record_of("a")}, {7, record_of("b")}}) ==
        words{"produce a", "produce b", "take after 7"});
  auto const b = s.last_produced;
  CHECK(s.stored({}).empty());
  CHECK(s.acked(b) == words{"remove 7"});
  CHECK(s.step(event::removed{7}).empty());
  CHECK(s.fsm.totals().drained == 1);
  CHECK(s.fsm.totals().delivered == 0);
}

TEST_CASE("the backlog uses at most half of the producer's budget, live records the rest") {
  fsm_script s(fsm_script::broker());  // 20,000 bytes
  s.step(event::tick{});
  CHECK(s.last_take_bytes == 10'000);
  CHECK(s.stored({{1, record_of("a", 4000)}, {2, record_of("b", 4000)}, {3, record_of("c", 4000)}}) ==
        words{"produce a", "produce b"});
  CHECK(s.fsm.backlog_bytes() <= 10'000);
  CHECK(s.submit(1, record_of("x", 4500)) == words{"produce x"});
  CHECK(s.submit(2, record_of("y", 4500)) == words{"produce y"});
  CHECK(s.submit(3, record_of("z", 4500)) == words{"put z"});
}

TEST_CASE(
    "the backlog has a quota, so that live records do not wait behind all of it, and a larger record goes "
    "alone") {
  auto settings = fsm_script::broker();
  settings.backlog_bytes = 3'000;
  fsm_script s(settings);
  s.step(event::tick{});
  CHECK(s.last_take_bytes == 3'000);
  CHECK(s.stored({{1, record_of("a", 1500)}, {2, record_of("b", 4000)}, {3, record_of("c", 500)}}) ==
        words{"produce a"});
  CHECK(s.acked(s.last_produced) == words{"remove 1", "produce b"});
  CHECK(s.submit(1, record_of("x", 4500)) == words{"produce x"});
  CHECK(s.acked(1) == words{"resolve 1 delivered"});
  CHECK(s.fsm.backlog_bytes() > 3'000);
}

TEST_CASE("live records that fill the budget do not keep the backlog out") {
  fsm_script s(fsm_script::broker());
  s.settle();
  for (std::uint64_t id = 1; id <= 4; ++id) s.submit(id, record_of("live", 4500));
  s.submit(5, record_of("over", 4500));
  CHECK(s.step(event::spooled{5, 1}) == words{"resolve 5 spooled", "take after 0"});
  CHECK(s.stored({{1, record_of("over", 4500)}}).empty());
  // Each ended live record makes room; new ones only get the live half as long as there is a backlog.
  CHECK(s.acked(1) == words{"resolve 1 delivered", "produce over", "take after 1"});
  CHECK(s.submit(6, record_of("new", 4500)) == words{"put new"});
}

TEST_CASE("a drained record that fails stays stored, the drain pauses, probes, then goes on oldest first") {
  fsm_script s(fsm_script::broker());
  s.step(event::tick{});
  s.stored({{1, record_of("a")}, {2, record_of("b")}});
  auto const b = s.last_produced;
  auto const a = b - 1;
  s.stored({});
  CHECK(s.retriable(b) == words{"release 2", "wake in 1000"});
  CHECK(s.retriable(a) == words{"release 1"});
  CHECK(s.fsm.backlog_bytes() == 0);
  CHECK(s.fsm.broker_failing());
  // A probe: one record, at whatever place the walk is (here: at its end, so from the oldest again).
  CHECK(s.after(1s) == words{"take after 2"});
  CHECK(s.last_take_bytes == 1);
  CHECK(s.stored({}) == words{"wake in 1000"});
  CHECK(s.after(1s) == words{"take after 0"});
  CHECK(s.stored({{1, record_of("a")}}) == words{"produce a"});
  CHECK(s.retriable(s.last_produced) == words{"release 1", "wake in 2000"});
  CHECK(s.after(2s) == words{"take after 1"});
  CHECK(s.stored({{2, record_of("b")}}) == words{"produce b"});
  // Success: from the oldest again, as much as fits.
  CHECK(s.acked(s.last_produced) == words{"remove 2", "take after 0"});
  CHECK(s.last_take_bytes == 10'000);
  CHECK(s.stored({{1, record_of("a")}}) == words{"produce a", "take after 1"});
  CHECK_FALSE(s.fsm.broker_failing());
}

TEST_CASE("a live acknowledgement ends the drain's pause early, but not at once") {
  fsm_script s(fsm_script::broker());
  s.step(event::tick{});
  s.stored({{1, record_of("a")}});
  auto const a = s.last_produced;
  s.stored({});
  for (int i = 0; i < 6; ++i) {  // pauses of 1, 2, 4, 8, 16, 30 s
    s.retriable(s.last_produced);
    s.now += 31s;
    s.step(event::tick{});
    s.stored({{1, record_of("a")}});
  }
  s.retriable(a);
  s.submit(1, record_of("live"));
  s.now += 300ms;
  CHECK(s.acked(1) == words{"resolve 1 delivered", "wake in 700"});
  CHECK(s.after(700ms) == words{"take after 0"});
}

TEST_CASE("records read while the broker fails are put aside, not forgotten") {
  fsm_script s(fsm_script::broker());
  s.step(event::tick{});
  s.stored({{1, record_of("a", 4000)}, {2, record_of("b", 4000)}, {3, record_of("c", 4000)}});
  auto const b = s.last_produced;
  CHECK(s.retriable(b) == words{"release 2 3", "wake in 1000"});
  CHECK(s.acked(b - 1) == words{"remove 1"});
  CHECK(s.after(1s) == words{"take after 1"});
  CHECK(s.stored({{2, record_of("b", 4000)}, {3, record_of("c", 4000)}}) == words{"produce b", "produce c"});
}

TEST_CASE("a read that was under way when the broker failed sends one record only") {
  fsm_script s(fsm_script::broker());
  s.step(event::tick{});
  s.submit(1, record_of("live"));
  s.retriable(1);
  CHECK(s.stored({{1, record_of("a")}, {2, record_of("b")}, {3, record_of("c")}}) ==
        words{"release 2 3", "produce a", "wake in 1000"});
  CHECK(s.acked(s.last_produced) == words{"remove 1"});
  CHECK(s.after(1s) == words{"take after 1"});
}

TEST_CASE(
    "a drained record too large for the broker goes once more without raw, then dies with its outcome") {
  fsm_script s(fsm_script::broker());
  s.step(event::tick{});
  CHECK(s.stored({{5, record_of("a", 100, 2000)}})[0] == "produce a with raw");
  auto const a = s.last_produced;
  s.stored({});
  CHECK(s.too_large(a) == words{"produce a"});
  SECTION("delivered without raw") {
    CHECK(s.acked(a) == words{"remove 5"});
    CHECK(s.fsm.totals().raw_dropped == 1);
  }
  SECTION("dead") {
    CHECK(s.too_large(a) == words{"outcome for 5 a too large"});
    CHECK(s.step(event::outcome_made{5, record_of("o", 10, 0, logical_topic::outcomes)}) ==
          words{"produce o"});
    CHECK(s.acked(s.last_produced) == words{"bury 5: words of librdkafka"});
    CHECK(s.fsm.totals().dead == 1);
    CHECK(s.step(event::removed{5}).empty());
  }
}

TEST_CASE("a stored record beyond the message limit is never produced") {
  fsm_script s(fsm_script::broker());
  s.step(event::tick{});
  CHECK(s.stored({{5, record_of("a", 6000)}, {6, record_of("b")}}) ==
        words{"outcome for 5 a too large", "produce b", "take after 6"});
  CHECK(s.step(event::outcome_made{5, nullptr}) == words{"bury 5: larger than message.max.bytes (5000)"});
}

TEST_CASE("a refused stored record is marked dead only when its outcome is safe, and blocks nobody") {
  fsm_script s(fsm_script::broker());
  s.step(event::tick{});
  s.stored({{5, record_of("a")}});
  auto const a = s.last_produced;
  s.stored({});
  CHECK(s.refused(a) == words{"outcome for 5 a internal"});
  CHECK(s.step(event::outcome_made{5, record_of("o", 10, 0, logical_topic::outcomes)}) == words{"produce o"});
  CHECK_FALSE(s.fsm.broker_failing());
  CHECK(s.retriable(s.last_produced) == words{"put o"});
  SECTION("spooled") { CHECK(s.step(event::spooled{s.last_put, 9})[0] == "bury 5: words of librdkafka"); }
  SECTION("no room for it now: tried again, the record stays until then") {
    CHECK(s.step(event::spool_failed{s.last_put, spool_failure::full}) == words{"wake in 1000"});
    // To the spool first, as outcomes just failed with Kafka; but that is better than no place.
    CHECK(s.after(1s) == words{"put o"});
    CHECK(s.step(event::spool_failed{s.last_put, spool_failure::full}) == words{"produce o"});
    CHECK(s.acked(s.last_produced) == words{"bury 5: words of librdkafka"});
  }
}

TEST_CASE("a refused outcome dies without an outcome of its own") {
  fsm_script s(fsm_script::broker());
  s.step(event::tick{});
  s.stored({{5, record_of("o", 10, 0, logical_topic::outcomes)}});
  CHECK(s.refused(s.last_produced) == words{"bury 5: words of librdkafka"});
}

TEST_CASE("a record that cannot be removed is not delivered twice, the removal is tried again") {
  fsm_script s(fsm_script::broker());
  s.step(event::tick{});
  s.stored({{1, record_of("a")}});
  auto const a = s.last_produced;
  s.stored({});
  CHECK(s.acked(a) == words{"remove 1"});
  CHECK(s.step(event::remove_failed{1}) == words{"wake in 1000"});
  s.submit(2, record_of("b"));
  s.refused(2);
  CHECK(s.step(event::spooled{2, 2}) == words{"resolve 2 spooled"});  // and no read of the spool yet
  CHECK(s.after(1s) == words{"remove 1", "take after 1"});
  // Read again before the removal took effect: skipped.
  CHECK(s.stored({{1, record_of("a")}}) == words{"take after 1"});
}

TEST_CASE("a record that was dead and told of dies again without a second outcome") {
  fsm_script s(fsm_script::broker());
  s.step(event::tick{});
  s.stored({{5, record_of("a"), true}});
  auto const a = s.last_produced;
  s.stored({});
  SECTION("refused") { CHECK(s.refused(a) == words{"bury 5: words of librdkafka"}); }
  SECTION("delivered this time") { CHECK(s.acked(a) == words{"remove 5"}); }
}

TEST_CASE("a record that is revived below the cursor is read without a restart") {
  fsm_script s(fsm_script::broker());
  s.step(event::tick{});
  s.stored({{1, record_of("a")}, {7, record_of("b")}});
  auto const b = s.last_produced;
  s.stored({});
  CHECK(s.step(event::revived{3}) == words{"take after 2"});
  SECTION("and is sent beside those in flight") {
    CHECK(s.stored({{3, record_of("c")}}) == words{"produce c", "take after 3"});
  }
  SECTION("also when it comes while the spool is being read") {
    CHECK(s.step(event::revived{2}).empty());
    CHECK(s.stored({}) == words{"take after 1"});
  }
  SECTION("and once the broker takes records again, if it does not now") {
    s.stored({});
    s.retriable(b);
    s.step(event::revived{2});
    s.after(1s);
    s.stored({{7, record_of("b")}});
    CHECK(s.acked(s.last_produced) == words{"remove 7", "take after 1"});
  }
}

TEST_CASE("without a broker a revived record waits on") {
  fsm_script s(fsm_script::no_broker());
  s.step(event::tick{});
  CHECK(s.step(event::revived{3}).empty());
}

TEST_CASE("a spool that cannot be read is asked again after a pause") {
  fsm_script s(fsm_script::broker());
  s.step(event::tick{});
  CHECK(s.step(event::take_failed{}) == words{"wake in 1000"});
  CHECK(s.after(1s) == words{"take after 0"});
}

TEST_CASE("a record spooled while the spool is being read is not overlooked") {
  fsm_script s(fsm_script::broker());
  s.step(event::tick{});
  s.submit(1, record_of("a"));
  s.refused(1);
  CHECK(s.step(event::spooled{1, 1}) == words{"resolve 1 spooled"});
  CHECK(s.stored({}) == words{"take after 0"});
}

TEST_CASE("shutdown stops the backlog, what Kafka has of it may still finish, the rest stays stored") {
  fsm_script s(fsm_script::broker());
  s.step(event::tick{});
  s.stored({{1, record_of("a")}, {2, record_of("b")}});
  auto const b = s.last_produced;
  s.step(event::drain{s.now + 10s});
  CHECK(s.stored({{3, record_of("c")}}).empty());
  CHECK(s.acked(b) == words{"remove 2"});
  CHECK(s.step(event::removed{2}).empty());
  CHECK_FALSE(s.fsm.finished());
  CHECK(s.after(10s) == words{"purge", "wake in 2000"});
  CHECK(s.after(2s).empty());
  CHECK(s.fsm.finished());
  CHECK(s.fsm.in_flight_bytes() == 0);
}
