// Scripts for the way of one submitted record.
#include "tests/server/delivery/fsm_script.hpp"

using namespace profile_relay::server;
using namespace std::chrono_literals;
using profile_relay::profile::logical_topic;

TEST_CASE("a live record that Kafka acknowledges is delivered") {
  fsm_script s(fsm_script::broker());
  s.settle();
  CHECK(s.submit(1, record_of("a")) == words{"produce a"});
  CHECK(s.fsm.in_flight_records() == 1);
  CHECK(s.fsm.in_flight_bytes() == record_of("a")->wire_size());
  CHECK(s.acked(1) == words{"resolve 1 delivered"});
  CHECK(s.fsm.in_flight_records() == 0);
  CHECK(s.fsm.in_flight_bytes() == 0);
  CHECK(s.fsm.totals().delivered == 1);
}

TEST_CASE("a second report for the same record changes nothing") {
  fsm_script s(fsm_script::broker());
  s.settle();
  s.submit(1, record_of("a"));
  s.acked(1);
  CHECK(s.retriable(1).empty());
  CHECK(s.fsm.totals().late_reports == 1);
}

TEST_CASE("spool-only mode stores without ever asking Kafka") {
  fsm_script s(fsm_script::no_broker());
  CHECK(s.step(event::tick{}).empty());
  CHECK(s.submit(1, record_of("a")) == words{"put a"});
  CHECK(s.fsm.spooling_bytes() > 0);
  CHECK(s.step(event::spooled{1, 10}) == words{"resolve 1 spooled"});
  CHECK(s.fsm.spooling_bytes() == 0);
}

TEST_CASE("ack mode spool stores first and drains in the background") {
  auto settings = fsm_script::broker();
  settings.ack_spool = true;
  fsm_script s(settings);
  s.settle();
  CHECK(s.submit(1, record_of("a")) == words{"put a"});
  CHECK(s.step(event::spooled{1, 10}) == words{"resolve 1 spooled", "take after 0"});
  CHECK(s.stored({{10, record_of("a")}}) == words{"produce a", "take after 10"});
  CHECK(s.acked(s.last_produced) == words{"remove 10"});
}

TEST_CASE("a retriable failure hands the record to the spool before the answer") {
  fsm_script s(fsm_script::broker());
  s.settle();
  s.submit(1, record_of("a"));
  CHECK(s.retriable(1) == words{"put a"});
  CHECK(s.fsm.in_flight_bytes() == 0);
  CHECK(s.fsm.totals().spooled == 0);
  CHECK(s.step(event::spooled{1, 1}) == words{"resolve 1 spooled", "wake in 1000"});
}

TEST_CASE("what neither Kafka nor the spool takes is unavailable") {
  auto const why = GENERATE(spool_failure::full, spool_failure::io);
  fsm_script s(fsm_script::broker());
  s.settle();
  s.submit(1, record_of("a"));
  s.retriable(1);
  CHECK(s.step(event::spool_failed{1, why}) == words{"resolve 1 unavailable"});
  CHECK(s.fsm.totals().failed == 1);
}

TEST_CASE("a record that the spool cannot take goes to Kafka if that was not asked yet") {
  auto settings = fsm_script::broker();
  settings.ack_spool = true;
  fsm_script s(settings);
  s.settle();
  CHECK(s.submit(1, record_of("a")) == words{"put a"});
  CHECK(s.step(event::spool_failed{1, spool_failure::full}) == words{"produce a"});
  SECTION("which takes it") { CHECK(s.acked(1) == words{"resolve 1 delivered"}); }
  SECTION("or not, and the spool is asked once more") {
    CHECK(s.retriable(1) == words{"put a"});
    SECTION("in vain") {
      CHECK(s.step(event::spool_failed{1, spool_failure::io}) == words{"resolve 1 unavailable"});
    }
    SECTION("with success") {
      CHECK(s.step(event::spooled{1, 1}) == words{"resolve 1 spooled", "wake in 1000"});
    }
  }
}

TEST_CASE("a live record that Kafka refuses is kept in the spool") {
  fsm_script s(fsm_script::broker());
  s.settle();
  s.submit(1, record_of("a"));
  CHECK(s.refused(1) == words{"put a"});
  CHECK(s.step(event::spooled{1, 1}) == words{"resolve 1 spooled", "take after 0"});
}

TEST_CASE("a live record too large for the broker goes once more without its raw trace") {
  fsm_script s(fsm_script::broker());
  s.settle();
  CHECK(s.submit(1, record_of("a", 100, 2000)) == words{"produce a with raw"});
  CHECK(s.too_large(1) == words{"produce a"});
  SECTION("and may get through") {
    CHECK(s.acked(1) == words{"resolve 1 delivered"});
    CHECK(s.fsm.totals().raw_dropped == 1);
  }
  SECTION("or is too large for good") {
    CHECK(s.too_large(1) == words{"resolve 1 too_large"});
    CHECK(s.fsm.totals().raw_dropped == 0);
    CHECK(s.fsm.totals().failed == 1);
  }
  SECTION("or is spooled without it") {
    CHECK(s.retriable(1) == words{"put a"});
    CHECK(s.step(event::spooled{1, 1}).front() == "resolve 1 spooled");
    CHECK(s.fsm.totals().raw_dropped == 1);
  }
  CHECK(s.fsm.in_flight_bytes() == 0);
}

TEST_CASE("a live record without a raw trace is too large at once") {
  fsm_script s(fsm_script::broker());
  s.settle();
  s.submit(1, record_of("a"));
  CHECK(s.too_large(1) == words{"resolve 1 too_large"});
}

TEST_CASE("sizes are compared before producing, with a broker or without") {
  auto const settings = GENERATE(fsm_script::broker(), fsm_script::no_broker());
  fsm_script s(settings);
  if (settings.broker) s.settle();
  auto const way = settings.broker ? "produce " : "put ";
  CHECK(s.submit(1, record_of("big", 6000)) == words{"resolve 1 too_large"});
  CHECK(s.submit(2, record_of("raw", 100, 6000)) == words{way + std::string("raw")});
  CHECK(s.submit(3, record_of("both", 6000, 6000)) == words{"resolve 3 too_large"});
}

TEST_CASE("the largest message that is allowed is produced as it is") {
  auto settings = fsm_script::broker();
  settings.max_message_bytes = record_of("a", 3000, 1000)->wire_size();
  fsm_script s(settings);
  s.settle();
  CHECK(s.submit(1, record_of("a", 3000, 1000)) == words{"produce a with raw"});
  CHECK(s.submit(2, record_of("b", 3000, 1001)) == words{"produce b"});
}

TEST_CASE("live records beyond the producer's budget go to the spool directly") {
  fsm_script s(fsm_script::broker());  // 20,000 bytes
  s.settle();
  for (std::uint64_t id = 1; id <= 4; ++id) CHECK(s.submit(id, record_of("a", 4500))[0] == "produce a");
  CHECK(s.submit(5, record_of("b", 4500)) == words{"put b"});
  s.acked(1);
  CHECK(s.submit(6, record_of("c", 4500)) == words{"produce c"});
}

TEST_CASE("the number of small records is bounded too") {
  auto settings = fsm_script::broker();
  settings.record_overhead = 2'000;
  fsm_script s(settings);
  s.settle();
  int produced = 0;
  for (std::uint64_t id = 1; id <= 100; ++id) produced += s.submit(id, record_of("a", 1))[0] == "produce a";
  CHECK(produced == 9);  // 20,000 bytes, 2,000 and a little for each
}

TEST_CASE("a budget smaller than two messages is raised, so that every record has a way") {
  auto settings = fsm_script::broker();
  settings.producer_bytes = 1;
  fsm_script s(settings);
  s.settle();
  CHECK(s.submit(1, record_of("a", 4500)) == words{"produce a"});
}

TEST_CASE("shutdown waits for reports until the deadline, then purges and spools") {
  fsm_script s(fsm_script::broker());
  s.settle();
  s.submit(1, record_of("a"));
  s.submit(2, record_of("b"));
  s.submit(3, record_of("c", 100, 500));
  CHECK(s.step(event::drain{s.now + 10s}) == words{"wake in 10000"});
  CHECK_FALSE(s.fsm.finished());
  CHECK(s.acked(1) == words{"resolve 1 delivered"});
  CHECK(s.after(10s) == words{"purge", "wake in 2000"});
  CHECK(s.retriable(2) == words{"put b"});
  CHECK(s.too_large(3) == words{"put c"});
  CHECK(s.submit(4, record_of("d")) == words{"put d"});
  s.step(event::spooled{2, 1});
  s.step(event::spooled{3, 2});
  CHECK_FALSE(s.fsm.finished());
  CHECK(s.step(event::spooled{4, 3}) == words{"resolve 4 spooled"});
  CHECK(s.fsm.finished());
}

TEST_CASE("a record without a report after the purge is spooled all the same, a late report ignored") {
  fsm_script s(fsm_script::broker());
  s.settle();
  s.submit(1, record_of("a"));
  s.step(event::drain{s.now});
  CHECK(s.after(2s) == words{"put a", "wake in 5000"});
  CHECK(s.fsm.in_flight_bytes() == 0);
  CHECK(s.acked(1).empty());
  CHECK(s.fsm.totals().late_reports == 1);
  CHECK(s.step(event::spooled{1, 1}) == words{"resolve 1 spooled"});
  CHECK(s.fsm.finished());
}

TEST_CASE("a spool that is silent at shutdown ends in unavailable, also for records that come later") {
  fsm_script s(fsm_script::no_broker());
  s.submit(1, record_of("a"));
  s.step(event::drain{s.now});
  CHECK(s.after(7s) == words{"resolve 1 unavailable"});
  CHECK(s.fsm.finished());
  CHECK(s.fsm.spooling_bytes() == 0);
  CHECK(s.step(event::spooled{1, 1}).empty());
  CHECK(s.submit(2, record_of("b")) == words{"resolve 2 unavailable"});
}

TEST_CASE("shutdown with nothing in flight is over at once") {
  fsm_script s(fsm_script::broker());
  s.settle();
  CHECK_FALSE(s.fsm.finished());
  CHECK(s.step(event::drain{s.now + 10s}).empty());
  CHECK(s.fsm.finished());
}
