// `spool rm` and `spool retry`, beside a spool that is open and without.
#include "server/io/spool_commands.hpp"
#include "server/io/spool_reader.hpp"
#include "tests/server/delivery/spool_fixture.hpp"

using namespace profile_relay::server;
namespace profile = profile_relay::profile;
using profile::logical_topic;

namespace {

struct commands_fixture : spool_fixture {
  std::filesystem::path dir = options().dir;

  std::unique_ptr<sqlite_spool> running() {
    auto o = options();
    o.look_pause = std::chrono::milliseconds(5);
    return open(o);
  }
  start_result<removal> rm(std::int64_t key) {
    return remove_record(dir, key,
                         [this](profile::kafka_record const& r) -> std::optional<profile::kafka_record> {
                           asked.push_back(r.chunk_id);
                           profile::kafka_record o;
                           o.topic = logical_topic::outcomes;
                           o.value = "outcome of " + r.chunk_id;
                           return o;
                         });
  }
  std::string refused(std::int64_t key) {
    auto const done = rm(key);
    return done ? "" : done.error().what;
  }
  std::string retry(std::int64_t key) {
    auto const e = retry_record(dir, key);
    return e ? e->what : "";
  }
  void mark_dead(sqlite_spool& s, std::int64_t key) {
    s.mark_dead(key, "refused");
    got.next<event::removed>();
  }
  std::vector<spool_row> rows() { return *spool_reader::open(dir)->list(); }

  std::vector<std::string> asked;
};

}  // namespace

TEST_CASE("a removed record leaves its outcome, and the running spool notices both") {
  commands_fixture f;
  auto s = f.running();
  auto const a = f.put(*s, spool_record("a", 50'000)), b = f.put(*s, spool_record("b"));
  auto const bytes = s->stats().bytes;
  auto const done = f.rm(a);
  REQUIRE(done.has_value());
  CHECK(done->outcome_stored);
  CHECK(f.asked == std::vector<std::string>{"a"});
  // The oldest that waits is told; by then the room is counted anew.
  CHECK(f.got.next<event::revived>().key == b);
  CHECK(s->stats().live_records == 2);
  CHECK(s->stats().bytes < bytes);
  auto const left = f.take(*s);
  REQUIRE(left.size() == 2);
  CHECK(left[0].key == b);
  CHECK(left[1].record->value == "outcome of a");
  CHECK(left[1].record->topic == logical_topic::outcomes);
}

TEST_CASE("removal and outcome are one transaction") {
  commands_fixture f;
  auto s = f.open();
  auto const a = f.put(*s, spool_record("a"));
  // The outcome cannot be stored: then the record stays.
  REQUIRE(
      sqlite_run(open_spool_file(f.dir, spool_access::command)->get(),
                 "CREATE TRIGGER no_outcomes BEFORE INSERT ON records BEGIN SELECT raise(ABORT,'no'); END") ==
      SQLITE_OK);
  CHECK_FALSE(f.refused(a).empty());
  auto const rows = f.rows();
  REQUIRE(rows.size() == 1);
  CHECK(rows[0].key == a);
}

TEST_CASE("a record in flight is not removed while its server lives, and is when it has died") {
  commands_fixture f;
  auto s = f.running();
  auto const a = f.put(*s, spool_record("a"));
  REQUIRE(f.take(*s).size() == 1);
  CHECK(f.rows()[0].state == record_state::in_flight);
  CHECK_THAT(f.refused(a), Catch::Contains("record " + std::to_string(a)) && Catch::Contains("is in flight"));
  CHECK(f.rows().size() == 1);
  SECTION("released by its server") {
    s->release({a});
    f.put(*s, spool_record("b"));  // calls take effect in order
    CHECK(f.rows()[0].state == record_state::waiting);
    CHECK(f.refused(a).empty());
  }
  SECTION("of a server that is gone: the mark is on the disk, the lock is not") {
    auto const crashed = f.folder.path / "crashed";
    std::filesystem::copy(f.dir, crashed);
    f.dir = crashed;
    CHECK(f.rows()[0].state == record_state::waiting);
    CHECK(f.refused(a).empty());
  }
}

TEST_CASE("a dead record is removed without another outcome, and an outcome without one") {
  commands_fixture f;
  auto s = f.open();
  auto const dead = f.put(*s, spool_record("dead"));
  auto const outcome = f.put(*s, spool_record("", 50, logical_topic::outcomes));
  f.mark_dead(*s, dead);
  for (auto const key : {dead, outcome}) {
    auto const done = f.rm(key);
    REQUIRE(done.has_value());
    CHECK_FALSE(done->outcome_stored);
  }
  CHECK(f.asked.empty());
  CHECK(f.rows().empty());
}

TEST_CASE("a damaged record can be removed, though nothing can be said of it") {
  commands_fixture f;
  auto s = f.open();
  auto const a = f.put(*s, spool_record("a"));
  REQUIRE(sqlite_run(open_spool_file(f.dir, spool_access::command)->get(), "UPDATE bodies SET value=x'00'") ==
          SQLITE_OK);
  CHECK_FALSE(f.rm(a)->outcome_stored);
  CHECK(f.rows().empty());
}

TEST_CASE("a dead record that is retried is taken again by the running spool, and remembers its outcome") {
  commands_fixture f;
  auto s = f.running();
  auto const dead = f.put(*s, spool_record("dead")), other = f.put(*s, spool_record("other"));
  f.mark_dead(*s, dead);
  REQUIRE(f.take(*s).size() == 1);  // the other; the drain has passed the dead one
  CHECK(f.retry(dead).empty());
  CHECK(f.got.next<event::revived>().key == dead);
  CHECK(s->stats().dead_records == 0);
  auto const again = f.take(*s);
  REQUIRE(again.size() == 1);
  CHECK(again[0].key == dead);
  CHECK(again[0].told);
  CHECK(f.rows()[0].why.empty());
  CHECK(f.rows()[1].key == other);
}

TEST_CASE("what cannot be done is refused with the record and the path") {
  commands_fixture f;
  SECTION("no such record") {
    auto s = f.open();
    CHECK_THAT(f.refused(77), Catch::Contains("there is no record 77") && Catch::Contains(f.dir.string()));
    CHECK_THAT(f.retry(77), Catch::Contains("there is no record 77"));
  }
  SECTION("not dead") {
    auto s = f.open();
    auto const a = f.put(*s, spool_record("a"));
    CHECK_THAT(f.retry(a), Catch::Contains("is not dead"));
    f.take(*s);
    CHECK_THAT(f.retry(a), Catch::Contains("is not dead"));
  }
  SECTION("no spool") {
    CHECK_THAT(f.refused(1), Catch::Contains("there is no spool at") && Catch::Contains(f.dir.string()));
    CHECK_THAT(f.retry(1), Catch::Contains("there is no spool at"));
    CHECK_FALSE(std::filesystem::exists(f.dir));
  }
  SECTION("another format") {
    f.open();
    REQUIRE(sqlite_run(open_spool_file(f.dir, spool_access::command)->get(), "PRAGMA user_version=4") ==
            SQLITE_OK);
    CHECK_THAT(f.refused(1), Catch::Contains("newer profile-relay (format 4"));
    CHECK_THAT(f.retry(1), Catch::Contains("newer profile-relay (format 4"));
  }
  SECTION("damaged") {
    f.open();
    overwrite(spool_file(f.dir), std::string(9000, 'x'));
    CHECK_THAT(f.refused(1), Catch::Contains("is damaged") && Catch::Contains("sets it aside"));
  }
}

TEST_CASE("a command leaves the log of a killed server as it is") {
  commands_fixture f;
  auto const crashed = f.folder.path / "crashed";
  {
    auto s = f.open();
    f.put(*s, spool_record("a"));
    f.put(*s, spool_record("b"));
    std::filesystem::copy(f.dir, crashed);
  }
  f.dir = crashed;
  auto const log = wal_of(spool_file(crashed));
  auto const before = contents(log);
  REQUIRE_FALSE(before.empty());
  CHECK(f.rows().size() == 2);
  CHECK(contents(log) == before);
  CHECK(f.refused(1).empty());
  CHECK(contents(log).substr(32, 1000) == before.substr(32, 1000));  // added to, not emptied
  CHECK(f.rows().size() == 2);                                       // b, and the outcome of a
}
