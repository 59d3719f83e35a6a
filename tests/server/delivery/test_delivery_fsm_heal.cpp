// Scripts for a broker that is away (the circuit) and for producers that are stuck or broken (the watchdog).
#include "tests/server/delivery/fsm_script.hpp"

using namespace profile_relay::server;
using namespace std::chrono_literals;
using profile_relay::profile::logical_topic;

namespace {

delivery_fsm_settings watched() {
  auto s = fsm_script::broker();
  s.stall = 12s;
  return s;
}

}  // namespace

TEST_CASE("while the broker is away live records are spooled at once, until a probe is acknowledged") {
  fsm_script s(fsm_script::broker());
  s.settle();
  s.submit(1, record_of("a"));
  CHECK_FALSE(s.fsm.kafka_away());
  CHECK(s.retriable(1) == words{"put a"});
  CHECK(s.fsm.kafka_away());
  s.step(event::spooled{1, 1});
  CHECK(s.submit(2, record_of("b")) == words{"put b"});
  CHECK(s.step(event::spooled{2, 2}) == words{"resolve 2 spooled"});
  CHECK(s.after(1s) == words{"take after 0"});
  CHECK(s.last_take_bytes == 1);
  CHECK(s.stored({{1, record_of("a")}}) == words{"produce a"});
  CHECK(s.submit(3, record_of("c")) == words{"put c"});
  SECTION("a failed probe changes nothing") {
    CHECK(s.retriable(s.last_produced) == words{"release 1", "wake in 2000"});
    CHECK(s.submit(4, record_of("d")) == words{"put d"});
  }
  SECTION("a probe that is acknowledged closes the circuit, live records go beside the drain") {
    CHECK(s.acked(s.last_produced) == words{"remove 1", "take after 1"});
    CHECK(s.last_take_bytes == 10'000);
    CHECK_FALSE(s.fsm.kafka_away());
    CHECK(s.submit(4, record_of("d"))[0] == "produce d");
  }
}

TEST_CASE("an acknowledgement of a record that was on its way closes the circuit too") {
  fsm_script s(fsm_script::broker());
  s.settle();
  s.submit(1, record_of("a"));
  s.submit(2, record_of("b"));
  s.retriable(1);
  CHECK(s.submit(3, record_of("c")) == words{"put c"});
  s.acked(2);
  CHECK(s.submit(4, record_of("d")) == words{"produce d"});
}

TEST_CASE("a topic that fails does not keep another one from its broker") {
  fsm_script s(fsm_script::broker());
  s.settle();
  s.submit(1, record_of("o", 10, 0, logical_topic::outcomes));
  s.retriable(1);
  CHECK(s.submit(2, record_of("o", 10, 0, logical_topic::outcomes)) == words{"put o"});
  CHECK(s.submit(3, record_of("a")) == words{"produce a"});
  s.acked(3);
  CHECK(s.submit(4, record_of("o", 10, 0, logical_topic::outcomes)) == words{"put o"});
}

TEST_CASE(
    "with an open circuit and a spool without room a record is tried with Kafka, so its return is seen") {
  fsm_script s(fsm_script::broker());
  s.settle();
  s.submit(1, record_of("a"));
  s.retriable(1);
  s.step(event::spool_failed{1, spool_failure::full});
  CHECK(s.submit(2, record_of("b")) == words{"put b"});
  CHECK(s.step(event::spool_failed{2, spool_failure::full}) == words{"produce b"});
  CHECK(s.acked(2) == words{"resolve 2 delivered"});
  CHECK(s.submit(3, record_of("c")) == words{"produce c"});
}

TEST_CASE("a record too large goes to the spool without its raw trace while the broker is away") {
  fsm_script s(fsm_script::broker());
  s.settle();
  s.submit(1, record_of("a"));
  s.submit(2, record_of("b", 100, 500));
  s.retriable(1);
  CHECK(s.too_large(2) == words{"put b"});
}

TEST_CASE("a record without a report for longer than any can take means new producers") {
  fsm_script s(watched());
  s.settle();
  CHECK(s.submit(1, record_of("a")) == words{"produce a", "wake in 12000"});
  s.now += 5s;
  CHECK(s.submit(2, record_of("b")) == words{"produce b"});
  SECTION("reports in time are no trouble") {
    s.acked(1);
    CHECK(s.after(7s) == words{"wake in 5000"});
    s.acked(2);
    CHECK(s.after(5s).empty());
  }
  SECTION("one that comes while it is suspected, neither") {
    CHECK(s.after(7s) == words{"wake in 2000"});
    CHECK(s.acked(1) == words{"resolve 1 delivered", "wake in 5000"});
  }
  SECTION("others that are reported do not hide it") {
    s.acked(2);
    CHECK(s.after(7s) == words{"wake in 2000"});
    CHECK(s.after(2s) == words{"purge", "wake in 2000"});
    CHECK(s.submit(3, record_of("c")) == words{"put c"});
    SECTION("the purge is reported") {
      CHECK(s.retriable(1) == words{"put a", "new producers: a record without a report for 14 s"});
    }
    SECTION("or is not: the record goes to the spool all the same, and ends once") {
      CHECK(s.after(2s) == words{"put a", "new producers: a record without a report for 14 s"});
      CHECK(s.acked(1).empty());
      CHECK(s.fsm.totals().late_reports == 1);
    }
    CHECK(s.fsm.in_flight_records() == 0);
    CHECK(s.step(event::spooled{1, 1}) == words{"resolve 1 spooled", "wake in 1000"});
    CHECK(s.after(1s) == words{"take after 0"});
    CHECK(s.stored({{1, record_of("a")}})[0] == "produce a");
    s.acked(s.last_produced);
    CHECK(s.submit(4, record_of("d"))[0] == "produce d");
  }
}

TEST_CASE("a broken producer is replaced, what it had of the backlog waits again") {
  fsm_script s(watched());
  s.step(event::tick{});
  s.stored({{1, record_of("a", 4000)}, {2, record_of("b", 4000)}, {3, record_of("c", 4000)}});
  CHECK(s.step(event::producer_failed{0, "fatal: x"}) == words{"purge", "wake in 2000"});
  CHECK(s.after(2s) == words{"release 1 3", "release 2", "new producers: fatal: x", "wake in 1000"});
  CHECK(s.fsm.backlog_bytes() == 0);
  CHECK_FALSE(s.fsm.kafka_away());
}

TEST_CASE(
    "a broken producer with nothing in flight is replaced at once, one that is retired is none of ours") {
  fsm_script s(watched());
  s.settle();
  CHECK(s.step(event::producer_failed{0, "fatal: x"}) == words{"new producers: fatal: x"});
  CHECK(s.step(event::producer_failed{0, "fatal: y"}).empty());
  CHECK(s.submit(1, record_of("a"))[0] == "produce a");
  s.acked(1);
  SECTION("new ones that break at once are replaced after a pause") {
    CHECK(s.step(event::producer_failed{1, "fatal: z"}) == words{"wake in 10000"});
    CHECK(s.after(10s) == words{"new producers: fatal: z", "wake in 2000"});
  }
}

TEST_CASE("a shutdown during a replacement is an ordinary shutdown") {
  fsm_script s(watched());
  s.settle();
  s.submit(1, record_of("a"));
  s.step(event::producer_failed{0, "fatal: x"});
  CHECK(s.step(event::drain{s.now + 1s}) == words{"wake in 1000"});
  CHECK(s.after(1s) == words{"purge", "wake in 2000"});
  CHECK(s.after(2s) == words{"put a", "wake in 5000"});
  CHECK(s.step(event::spooled{1, 1}) == words{"resolve 1 spooled"});
  CHECK(s.fsm.finished());
}
