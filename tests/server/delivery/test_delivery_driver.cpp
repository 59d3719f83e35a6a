// Delivery for real, against librdkafka's mock cluster and a spool on disk.
#include <atomic>
#include <filesystem>
#include <fstream>
#include <set>
#include <thread>

#include "tests/server/delivery/driver_fixture.hpp"
#include "tests/server/delivery/librdkafka_shim.hpp"

using namespace profile_relay::server;
using namespace std::chrono_literals;
namespace profile = profile_relay::profile;
using profile_relay::config::ack_mode;

TEST_CASE("a record reaches its topic as it is, and is delivered only then") {
  driver_fixture f;
  auto d = f.start(f.with_broker());
  CHECK(d->max_message_bytes() == 50'000'000);
  auto const r = message_of("payload", "trace");
  CHECK(f.end_of(f.submit(*d, r)) == record_end::delivered);
  profile::kafka_record outcome;
  outcome.topic = profile::logical_topic::outcomes;
  outcome.key = std::string("0123456789\0abcde", 16);
  outcome.value = R"({"outcome":3})";
  CHECK(f.end_of(f.submit(*d, outcome)) == record_end::delivered);

  auto const profiles = f.kafka.read("profiles", 1);
  REQUIRE(profiles.size() == 1);
  CHECK(profiles[0].value == r.value);
  CHECK_FALSE(profiles[0].key);
  CHECK(profiles[0].headers == std::vector<std::pair<std::string, std::string>>{{"project_id", "42"}});
  auto const outcomes = f.kafka.read("outcomes", 1);
  REQUIRE(outcomes.size() == 1);
  CHECK(outcomes[0].value == outcome.value);
  CHECK(outcomes[0].key == outcome.key);
  CHECK(outcomes[0].headers.empty());

  auto const s = d->status();
  CHECK(s.kafka_configured);
  CHECK(s.kafka_progress);
  CHECK(s.last_ack_age.has_value());
  CHECK(s.delivered_total == 2);
  CHECK(s.in_flight_records == 0);
  CHECK(s.in_flight_bytes == 0);
  CHECK(s.spool_records == 0);
}

TEST_CASE("producers share the records, and all of them are purged at the end") {
  auto const producers = [] {
    std::size_t n = 0;
    for (auto const& task : std::filesystem::directory_iterator("/proc/self/task")) {
      std::string name;
      std::ifstream(task.path() / "comm") >> name;
      n += name == "rdk:main" ? 1U : 0U;
    }
    return n;
  };
  driver_fixture f;
  auto const before = producers();
  auto s = f.with_broker();
  s.processing.kafka_producers = 3;
  auto d = f.start(s);
  CHECK(producers() - before == 3);
  std::vector<std::future<record_end>> ends;
  for (int i = 0; i < 30; ++i) ends.push_back(f.submit(*d, message_of(std::to_string(i))));
  for (auto& e : ends) CHECK(f.end_of(std::move(e)) == record_end::delivered);
  std::set<std::string> values;
  for (auto const& m : f.kafka.read("profiles", 30)) values.insert(m.value);
  CHECK(values.size() == 30);

  f.kafka.down();
  ends.clear();
  for (int i = 0; i < 6; ++i) ends.push_back(f.submit(*d, message_of("late")));
  CHECK(d->shutdown(in(0s)).spooled == 6);
  for (auto& e : ends) CHECK(f.end_of(std::move(e)) == record_end::spooled);
}

TEST_CASE("the second producer gets nothing before four batches are under way with the first") {
  driver_fixture f;
  librdkafka_shim::forget();
  auto s = f.with_broker();
  s.processing.kafka_config.emplace_back("batch.size", "1000");
  auto d = f.start(s);
  auto const both = librdkafka_shim::producers();
  REQUIRE(both.size() == 2);
  f.kafka.down();  // without reports, what is under way only grows
  std::vector<std::future<record_end>> ends;
  for (int i = 0; i < 5; ++i) ends.push_back(f.submit(*d, message_of(std::string(2500, 'x'))));
  while (librdkafka_shim::messages().size() < 5) std::this_thread::yield();
  // Two make the four batches of each; then the one with less, and of equals the first.
  CHECK(librdkafka_shim::messages() == std::vector{both[0], both[0], both[1], both[1], both[0]});
  d->shutdown(in(0s));
  for (auto& e : ends) CHECK(f.end_of(std::move(e)) == record_end::spooled);
}

TEST_CASE("spool-only mode keeps records until a start with a broker drains them") {
  driver_fixture f;
  {
    auto d = f.start(f.settings());
    for (auto const* p : {"one", "two", "three"})
      CHECK(f.end_of(f.submit(*d, message_of(p))) == record_end::spooled);
    auto const s = d->status();
    CHECK_FALSE(s.kafka_configured);
    CHECK(s.kafka_progress);
    CHECK(s.spool_records == 3);
    CHECK(s.spool_has_room);
    CHECK(s.oldest_spooled_age.has_value());
    CHECK(s.spooled_total == 3);
  }
  CHECK(f.spool().size() == 3);
  auto d = f.start(f.with_broker());
  auto const found = f.kafka.read("profiles", 3);
  std::set<std::string> values;  // no order is promised
  for (auto const& m : found) values.insert(m.value);
  CHECK(values == std::set{message_of("one").value, message_of("two").value, message_of("three").value});
  d->shutdown(in(30s));
  CHECK(f.spool().empty());
  CHECK(d->status().drained_total == 3);
  CHECK(d->status().delivered_total == 0);
}

TEST_CASE("ack mode spool answers from the spool and delivers behind it") {
  driver_fixture f;
  auto s = f.with_broker();
  s.processing.ack = ack_mode::spool;
  auto d = f.start(s);
  CHECK(f.end_of(f.submit(*d, message_of("a"))) == record_end::spooled);
  CHECK(f.kafka.read("profiles", 1).size() == 1);
  d->shutdown(in(30s));
  CHECK(f.spool().empty());
}

TEST_CASE("a broker that goes away hands over to the spool, and gets the records when it is back") {
  driver_fixture f;
  auto d = f.start(f.with_broker("500"));
  CHECK(f.end_of(f.submit(*d, message_of("before"))) == record_end::delivered);
  f.kafka.down();
  CHECK(f.end_of(f.submit(*d, message_of("during"))) == record_end::spooled);
  CHECK_THAT(f.logged(), Catch::Contains("Kafka at " + f.kafka.bootstrap() + " does not take records"));
  f.kafka.up();
  auto const found = f.kafka.read("profiles", 2);
  REQUIRE(found.size() == 2);
  CHECK(found[1].value == message_of("during").value);
  d->shutdown(in(30s));
  CHECK(f.spool().empty());
  CHECK_THAT(f.logged(), Catch::Contains("takes records again"));
}

TEST_CASE("a broker that cannot be reached at start is no start error, and is named") {
  driver_fixture f;
  auto d = f.start(f.with_broker("127.0.0.1:1", "500"));
  CHECK(f.end_of(f.submit(*d, message_of("a"))) == record_end::spooled);
  CHECK_THAT(f.logged(), Catch::Contains("127.0.0.1:1"));
}

TEST_CASE("a message too large for the broker goes without its raw trace") {
  driver_fixture f;
  auto d = f.start(f.with_broker());
  SECTION("which helps") {
    f.kafka.refuse(RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, 1);
    CHECK(f.end_of(f.submit(*d, message_of("payload", "trace"))) == record_end::delivered);
    auto const found = f.kafka.read("profiles", 1);
    REQUIRE(found.size() == 1);
    CHECK(found[0].value == message_of("payload").value);
    CHECK(d->status().raw_dropped_total == 1);
  }
  SECTION("which does not help") {
    f.kafka.refuse(RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, 2);
    CHECK(f.end_of(f.submit(*d, message_of("payload", "trace"))) == record_end::too_large);
    CHECK(d->status().failed_total == 1);
  }
  d->shutdown(in(30s));
  CHECK(f.spool().empty());
}

TEST_CASE("message.max.bytes of the operator is the limit before producing, in every mode") {
  driver_fixture f;
  auto s = GENERATE_REF(f.with_broker(), f.settings());
  s.processing.kafka_config.emplace_back("message.max.bytes", "2000");
  auto d = f.start(s);
  CHECK(d->max_message_bytes() == 2000);
  CHECK(f.end_of(f.submit(*d, message_of(std::string(3000, 'j')))) == record_end::too_large);
  auto const end = f.end_of(f.submit(*d, message_of("payload", std::string(3000, 'r'))));
  CHECK(end == (s.processing.has_broker() ? record_end::delivered : record_end::spooled));
  CHECK(d->status().raw_dropped_total == 1);
}

TEST_CASE("a record refused for good after its 200 dies with an outcome, and is kept") {
  driver_fixture f;
  f.end_of(f.submit(*f.start(f.settings()), message_of("a")));
  f.kafka.refuse(RD_KAFKA_RESP_ERR_INVALID_RECORD, 1);
  auto o = f.options();
  std::string dead_value;
  o.make_outcome = [&](profile::kafka_record const& dead, reason why) {
    profile::kafka_record r;
    r.topic = profile::logical_topic::outcomes;
    r.value = why == reason::internal ? "internal" : "another";
    dead_value = dead.value;
    return std::optional(r);
  };
  auto d = f.start(f.with_broker(), std::move(o));
  auto const outcomes = f.kafka.read("outcomes", 1);
  REQUIRE(outcomes.size() == 1);
  CHECK(outcomes[0].value == "internal");
  CHECK(f.end_of(f.submit(*d, message_of("next"))) == record_end::delivered);
  d->shutdown(in(30s));
  CHECK(dead_value == message_of("a").value);
  auto const rows = f.spool();
  REQUIRE(rows.size() == 1);
  CHECK(rows[0].dead());
  CHECK_THAT(rows[0].why, Catch::Contains("validate record"));
  CHECK(d->status().spool_dead_records == 1);
}

TEST_CASE("neither Kafka nor spool: unavailable") {
  driver_fixture f;
  auto s = f.with_broker("500");
  s.spool.max_disk_size = 1;
  auto d = f.start(s);
  f.kafka.down();
  CHECK(f.end_of(f.submit(*d, message_of("a"))) == record_end::unavailable);
  CHECK_FALSE(d->status().spool_has_room);
  CHECK(d->status().failed_total == 1);
}

TEST_CASE("shutdown spools at its deadline what Kafka did not take, the counts add up") {
  driver_fixture f;
  auto d = f.start(f.with_broker());  // message.timeout.ms one minute: only the purge can end them
  CHECK(f.end_of(f.submit(*d, message_of("before"))) == record_end::delivered);
  f.kafka.down();
  std::vector<std::future<record_end>> ends;
  for (int i = 0; i < 20; ++i) ends.push_back(f.submit(*d, message_of("x" + std::to_string(i))));
  auto const counts = d->shutdown(in(0s));
  for (auto& e : ends) {
    REQUIRE(e.wait_for(0s) == std::future_status::ready);
    CHECK(e.get() == record_end::spooled);
  }
  CHECK(counts.delivered == 0);
  CHECK(counts.spooled == 20);
  CHECK(counts.failed == 0);
  CHECK(f.spool().size() == 20);
  SECTION("afterwards a record is refused at once") {
    auto late = f.submit(*d, message_of("late"));
    REQUIRE(late.wait_for(0s) == std::future_status::ready);
    CHECK(late.get() == record_end::unavailable);
    CHECK(d->shutdown(in(0s)).spooled == 0);
  }
  SECTION("and the next start delivers them") {
    f.kafka.up();
    d = f.start(f.with_broker());
    CHECK(f.kafka.read("profiles", 21).size() == 21);
  }
}

TEST_CASE("shutdown within its deadline lets Kafka finish") {
  driver_fixture f;
  auto s = f.with_broker();
  s.processing.kafka_config.emplace_back("linger.ms", "5000");  // none is delivered before the shutdown begins
  auto d = f.start(s);
  std::vector<std::future<record_end>> ends;
  for (int i = 0; i < 50; ++i) ends.push_back(f.submit(*d, message_of("x")));
  auto const counts = d->shutdown(in(60s));
  for (auto& e : ends) CHECK(e.get() == record_end::delivered);
  CHECK(counts.delivered == 50);
}

TEST_CASE("a driver that is dropped resolves everything first") {
  driver_fixture f;
  std::future<record_end> end;
  {
    auto d = f.start(f.with_broker("127.0.0.1:1", "60000"));
    end = f.submit(*d, message_of("a"));
  }
  CHECK(f.end_of(std::move(end)) == record_end::spooled);
}

TEST_CASE("records from many threads, some during shutdown, each end once") {
  driver_fixture f;
  auto d = f.start(f.with_broker());
  std::atomic<int> ended{0}, kept{0};
  std::vector<std::thread> threads;
  std::promise<void> half;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 500; ++i) {
        if (t == 0 && i == 250) half.set_value();
        d->submit(message_of("x"), [&](record_end e) {
          ++ended;
          kept += e == record_end::delivered || e == record_end::spooled;
        });
      }
    });
  half.get_future().wait();
  d->shutdown(in(10s));
  for (auto& t : threads) t.join();
  CHECK(ended == 2000);
  auto const s = d->status();
  CHECK(s.delivered_total + s.spooled_total == static_cast<std::uint64_t>(kept));
}

TEST_CASE("what can never work is a start error in one sentence") {
  driver_fixture f;
  auto const error = [&](profile_relay::config::settings const& s) {
    auto d = delivery_driver::start(s, f.options());
    REQUIRE(d.has_error());
    return d.error().what;
  };
  SECTION("a property that does not exist, also without a broker") {
    auto s = f.settings();
    s.processing.kafka_config = {{"no.such.thing", "1"}};
    CHECK_THAT(error(s), Catch::Contains("no.such.thing"));
    CHECK_FALSE(std::filesystem::exists(s.spool.path));
  }
  SECTION("properties that contradict each other") {
    auto s = f.with_broker();
    s.processing.kafka_config.emplace_back("enable.idempotence", "true");
    s.processing.kafka_config.emplace_back("acks", "1");
    CHECK_THAT(error(s), Catch::Contains("processing.kafka_config") && Catch::Contains("acks"));
  }
  SECTION("a topic on a configuration that is missing") {
    auto s = f.with_broker();
    s.processing.outcomes.kafka_config = "elsewhere";
    CHECK_THAT(error(s), Catch::Contains("elsewhere"));
  }
  SECTION("a spool in use") {
    auto d = f.start(f.settings());
    CHECK_THAT(error(f.settings()), Catch::Contains("in use"));
  }
  SECTION("a topic that the broker does not have, if asked to look") {
    auto s = f.with_broker();
    s.processing.kafka_validate_topics = true;
    f.start(s)->shutdown(in(10s));
    f.kafka.set_topic_error("outcomes", RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
    CHECK_THAT(error(s), Catch::Contains("topic outcomes") && Catch::Contains("kafka_validate_topics"));
  }
}

TEST_CASE("a topic on a secondary configuration uses its broker") {
  driver_fixture f;
  mock_kafka second;
  auto s = f.with_broker();
  s.processing.secondary_kafka_configs["second"] = {{"bootstrap.servers", second.bootstrap()}};
  s.processing.outcomes.kafka_config = "second";
  auto d = f.start(s);
  profile::kafka_record outcome;
  outcome.topic = profile::logical_topic::outcomes;
  outcome.value = "{}";
  CHECK(f.end_of(f.submit(*d, outcome)) == record_end::delivered);
  CHECK(f.end_of(f.submit(*d, message_of("a"))) == record_end::delivered);
  CHECK(second.read("outcomes", 1).size() == 1);
  CHECK(f.kafka.read("profiles", 1).size() == 1);
}

TEST_CASE("a fatal error of librdkafka costs a producer, not a record and not a restart") {
  driver_fixture f;
  librdkafka_shim::forget();
  auto d = f.start(f.with_broker());
  CHECK(f.end_of(f.submit(*d, message_of("before"))) == record_end::delivered);
  auto const old = librdkafka_shim::producers();
  REQUIRE(old.size() == 2);
  f.kafka.down();  // what is in flight stays there
  std::vector<std::future<record_end>> ends;
  for (int i = 0; i < 10; ++i) ends.push_back(f.submit(*d, message_of("x" + std::to_string(i))));
  // One that came to the new producers instead would wait for the broker there.
  while (d->status().in_flight_records + d->status().spooled_total < 10) std::this_thread::yield();
  // Not both: the first takes the second with it, and this thread would speak to one that is gone.
  rd_kafka_test_fatal_error(old.front(), RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, "a test");
  for (auto& e : ends) CHECK(f.end_of(std::move(e)) == record_end::spooled);
  f.kafka.up();
  std::set<std::string> values;
  for (auto const& m : f.kafka.read("profiles", 11)) values.insert(m.value);
  CHECK(values.size() == 11);
  // A consumer may see the records before the acknowledgement that closes the circuit is back.
  while (d->status().kafka_away || d->status().spool_records != 0) std::this_thread::yield();
  CHECK(f.end_of(f.submit(*d, message_of("after"))) == record_end::delivered);
  CHECK(librdkafka_shim::producers().size() == 4);
  CHECK(d->status().producers_recreated_total == 1);
  auto const log = f.logged();
  CHECK_THAT(log, Catch::Contains("new producers") && Catch::Contains("a test"));
  CHECK(log.find("new producers") == log.rfind("new producers"));
  d->shutdown(in(30s));
  CHECK(f.spool().empty());
}

TEST_CASE("producers that say nothing any more are replaced, their records kept") {
  driver_fixture f;
  librdkafka_shim::forget();
  auto s = f.with_broker("100");
  auto d = f.start(s);
  auto const old = librdkafka_shim::producers();
  for (auto* k : old) librdkafka_shim::make_deaf(k);
  // 2 * (0.1 + 1) s, 2 s to be sure, 2 s for the purge: then the spool has it, and a new producer sends it. The
  // broker has it from the old one too: at least once.
  CHECK(f.end_of(f.submit(*d, message_of("stuck"))) == record_end::spooled);
  CHECK(f.kafka.read("profiles", 2).size() == 2);
  CHECK(d->status().producers_recreated_total == 1);
  CHECK_THAT(f.logged(), Catch::Contains("without a report"));
  d->shutdown(in(30s));
  CHECK(f.spool().empty());
}

TEST_CASE("new producers that cannot be made are tried again, and the spool keeps all meanwhile") {
  driver_fixture f;
  librdkafka_shim::forget();
  auto o = f.options();
  o.recreate_pause = 500ms;
  auto d = f.start(f.with_broker(), std::move(o));
  auto const old = librdkafka_shim::producers();
  REQUIRE(old.size() == 2);
  f.kafka.down();
  auto in_flight = f.submit(*d, message_of("in flight"));
  librdkafka_shim::refuse(2);
  for (auto* k : old) rd_kafka_test_fatal_error(k, RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, "a test");
  CHECK(f.end_of(std::move(in_flight)) == record_end::spooled);
  CHECK(f.end_of(f.submit(*d, message_of("meanwhile"))) == record_end::spooled);
  f.kafka.up();
  std::set<std::string> values;
  for (auto const& m : f.kafka.read("profiles", 2)) values.insert(m.value);
  CHECK(values.size() == 2);
  CHECK(librdkafka_shim::producers().size() == 4);
  auto const log = f.logged();
  CHECK_THAT(log, Catch::Contains("no new producers") && Catch::Contains("no threads left"));
  CHECK(log.find("no new producers") < log.find("the old ones are given up"));
  d->shutdown(in(30s));
  CHECK(d->status().producers_recreated_total == 1);
  CHECK(f.spool().empty());
}

TEST_CASE("a leader that moves costs no record, and needs no spool") {
  driver_fixture f;
  mock_kafka two(2);
  two.lead("profiles", 1);
  auto d = f.start(f.with_broker(two.bootstrap(), "60000"));
  std::set<std::string> sent;
  for (int leader : {2, 1, 2}) {
    std::vector<std::future<record_end>> ends;
    for (int i = 0; i < 20; ++i) {
      auto const r = message_of("leader " + std::to_string(leader) + " " + std::to_string(sent.size()));
      sent.insert(r.value);
      ends.push_back(f.submit(*d, r));
      if (i == 10) two.lead("profiles", leader);
    }
    for (auto& e : ends) CHECK(f.end_of(std::move(e)) == record_end::delivered);
  }
  std::set<std::string> found;
  for (auto const& m : two.read("profiles", sent.size())) found.insert(m.value);
  CHECK(found == sent);
  CHECK(d->status().spooled_total == 0);
}

TEST_CASE("records that a broker refuses because of our rights wait in the spool until it takes them") {
  driver_fixture f;
  // Refused live and once more out of the spool. Of a topic librdkafka remembers it until it asks about the topic again.
  auto const [e, requests] =
      GENERATE(table<rd_kafka_resp_err_t, int>({{RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, 1},
                                                {RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED, 2}}));
  f.kafka.refuse(e, requests);
  auto s = f.with_broker();
  s.processing.kafka_config.emplace_back("topic.metadata.refresh.interval.ms", "100");
  auto d = f.start(s);
  CHECK(f.end_of(f.submit(*d, message_of("a"))) == record_end::spooled);
  CHECK_THAT(f.logged(), Catch::Contains("authorization failed"));
  CHECK(f.kafka.read("profiles", 1).size() == 1);
  while (d->status().spool_records != 0) std::this_thread::yield();
  CHECK(d->status().spool_dead_records == 0);
  CHECK(d->status().drained_total == 1);
  d->shutdown(in(30s));
  CHECK(f.spool().empty());
}
