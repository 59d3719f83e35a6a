#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <future>
#include <random>

#include "tests/server/delivery/spool_fixture.hpp"

using namespace profile_relay::server;
using profile_relay::profile::logical_topic;

namespace {

/// While it lives, no file of this process can grow: writes fail with EFBIG.
class failing_disk {
 public:
  failing_disk() : on_signal_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    set(1);
  }
  ~failing_disk() {
    set(before_.rlim_cur);
    std::signal(SIGXFSZ, on_signal_);
  }

 private:
  void set(rlim_t bytes) {
    auto l = before_;
    l.rlim_cur = bytes;
    ::setrlimit(RLIMIT_FSIZE, &l);
  }
  rlimit before_{};
  void (*on_signal_)(int);
};

}  // namespace

TEST_CASE("a spooled record comes back byte for byte, also after the process is gone") {
  spool_fixture f;
  auto const profile = spool_record("0123", 200'000), outcome = spool_record("", 90, logical_topic::outcomes);
  {
    auto s = f.open();
    auto const first = f.put(*s, profile);
    CHECK(first < f.put(*s, outcome));
    CHECK(s->stats().live_records == 2);
  }
  auto s = f.open();
  auto const records = f.take(*s);
  REQUIRE(records.size() == 2);
  CHECK(same(*records[0].record, *profile));
  CHECK(same(*records[1].record, *outcome));
  CHECK(s->stats().live_records == 2);
  CHECK(s->stats().oldest_ms.has_value());
}

TEST_CASE("a 50 MB record fits") {
  spool_fixture f;
  auto s = f.open();
  auto const r = spool_record("big", 50'000'000);
  f.put(*s, r);
  auto const back = f.take(*s);
  REQUIRE(back.size() == 1);
  CHECK(same(*back[0].record, *r));
}

TEST_CASE("records are taken oldest first, by bytes, at least one") {
  spool_fixture f;
  auto s = f.open();
  for (auto const* id : {"a", "b", "c", "d"}) f.put(*s, spool_record(id, 10'000));
  auto const first = f.take(*s, 0, 1);
  REQUIRE(first.size() == 1);
  CHECK(first[0].record->chunk_id == "a");
  auto const next = f.take(*s, first[0].key, 35'000);
  REQUIRE(next.size() == 2);
  CHECK(next[0].record->chunk_id == "b");
  CHECK(next[1].record->chunk_id == "c");
  CHECK(f.take(*s, next[1].key + 1).empty());
}

TEST_CASE("a removed record is gone, its room is free again, its key is not used twice") {
  spool_fixture f;
  auto s = f.open();
  auto const key = f.put(*s, spool_record("a"));
  CHECK(s->stats().bytes > 100);
  s->remove(key);
  CHECK(f.got.next<event::removed>().key == key);
  CHECK(s->stats().bytes == 0);
  CHECK(s->stats().live_records == 0);
  CHECK(f.take(*s).empty());
  s.reset();
  s = f.open();
  CHECK(f.put(*s, spool_record("b")) > key);
  s->remove(99'999);  // not there: nothing to do, and said so
  CHECK(f.got.next<event::removed>().key == 99'999);
}

TEST_CASE("a dead record is kept but never taken") {
  spool_fixture f;
  auto s = f.open();
  auto const dead = f.put(*s, spool_record("dead")), live = f.put(*s, spool_record("live"));
  auto const bytes = s->stats().bytes;
  s->mark_dead(dead, "the broker refused it");
  CHECK(f.got.next<event::removed>().key == dead);
  auto const left = f.take(*s);
  REQUIRE(left.size() == 1);
  CHECK(left[0].key == live);
  s.reset();
  s = f.open();
  CHECK(s->stats().dead_records == 1);
  CHECK(s->stats().live_records == 1);
  CHECK(s->stats().bytes == bytes);
}

TEST_CASE("calls that queue up are answered in order, each once") {
  spool_fixture f;
  auto s = f.open();
  constexpr std::uint64_t n = 500;
  for (std::uint64_t id = 1; id <= n; ++id) s->put(id, spool_record("x", 1000));
  std::int64_t last = 0;
  for (std::uint64_t id = 1; id <= n; ++id) {
    auto const e = f.got.next<event::spooled>();
    REQUIRE(e.id == id);
    REQUIRE(e.key > last);
    last = e.key;
  }
}

TEST_CASE("what is queued when the spool closes is stored and answered") {
  spool_fixture f;
  auto s = f.open();
  for (std::uint64_t id = 1; id <= 50; ++id) s->put(id, spool_record("x"));
  s->close();
  for (std::uint64_t id = 1; id <= 50; ++id) CHECK(f.got.next<event::spooled>().id == id);
}

TEST_CASE("a full spool refuses profiles but keeps its last 5 % for outcomes") {
  spool_fixture f;
  auto o = f.options();
  o.max_disk_size = 1'000'000;
  auto s = f.open(o);
  auto const big = spool_record("a", 300'000);
  for (int i = 0; i < 3; ++i) f.put(*s, big);
  CHECK(s->stats().has_room);
  // 913,056 bytes are used. Another 40,000 exceed 95 %, though not 100 %.
  s->put(9, spool_record("b", 40'000));
  CHECK(f.got.next<event::spool_failed>().why == spool_failure::full);
  CHECK_FALSE(s->stats().has_room);
  CHECK_FALSE(s->stats().failed);
  auto const outcome = f.put(*s, spool_record("", 20'000, logical_topic::outcomes));
  f.put(*s, spool_record("c", 1'000));  // a small profile still fits
  s->put(10, spool_record("", 60'000, logical_topic::outcomes));
  CHECK(f.got.next<event::spool_failed>().why == spool_failure::full);
  s->remove(outcome);
  f.got.next<event::removed>();
  f.put(*s, spool_record("", 60'000, logical_topic::outcomes));
  s.reset();
  s = f.open(o);
  s->put(11, spool_record("b", 40'000));  // the sum is found again at the next start
  CHECK(f.got.next<event::spool_failed>().why == spool_failure::full);
}

TEST_CASE("records beyond the writer's queue are refused, not held in memory") {
  spool_fixture f;
  auto o = f.options();
  o.max_queue_bytes = 1;
  auto s = f.open(o);
  // The first is always let in; while it is being written others are too many. Each gets its answer either
  // way. Made before, so that making them does not take as long as writing them.
  auto const record = spool_record("x", 2'000'000);
  for (std::uint64_t id = 1; id <= 20; ++id) s->put(id, record);
  s->close();
  int stored = 0, refused = 0;
  for (int i = 0; i < 20; ++i) {
    try {
      f.got.next<event::spooled>();
      ++stored;
    } catch (std::runtime_error const&) {
      ++refused;
    }
  }
  CHECK(stored >= 1);
  CHECK(refused >= 1);
}

TEST_CASE("a failing disk fails the record, says so once, and nothing stored is lost") {
  spool_fixture f;
  auto s = f.open();
  f.put(*s, spool_record("kept"));
  {
    failing_disk none;
    s->put(5, spool_record("refused", 100'000));
    CHECK(f.got.next<event::spool_failed>().why == spool_failure::io);
    s->put(6, spool_record("refused", 100'000));
    CHECK(f.got.next<event::spool_failed>().why == spool_failure::io);
    s->remove(1);
    CHECK(f.got.next<event::remove_failed>().key == 1);
    CHECK(s->stats().failed);
  }
  f.put(*s, spool_record("again"));
  CHECK_FALSE(s->stats().failed);
  CHECK(f.take(*s).size() == 2);
  s->close();
  REQUIRE(f.errors.size() == 1);
  CHECK_THAT(f.errors[0], Catch::Contains("cannot write") && Catch::Contains("spool.sqlite"));
}

TEST_CASE("a spool that failed finds out by itself when the disk works again") {
  spool_fixture f;
  auto o = f.options();
  o.probe_pause = std::chrono::milliseconds(10);
  std::promise<std::string> works_again;
  o.log_info = [&](std::string const& line) { works_again.set_value(line); };
  auto s = f.open(o);
  {
    failing_disk none;
    s->put(5, spool_record("refused", 100'000));
    f.got.next<event::spool_failed>();
  }
  auto line = works_again.get_future();
  REQUIRE(line.wait_for(std::chrono::seconds(60)) == std::future_status::ready);
  CHECK_THAT(line.get(), Catch::Contains("can be written again"));
  s->close();
  CHECK_FALSE(s->stats().failed);
}

TEST_CASE("two servers cannot use one spool, and the second is told which path") {
  spool_fixture f;
  auto s = f.open();
  auto const second = sqlite_spool::open(f.options());
  REQUIRE(second.has_error());
  CHECK_THAT(second.error().what, Catch::Contains((f.folder.path / "spool").string()) &&
                                      Catch::Contains("in use") &&
                                      Catch::Contains("process " + std::to_string(::getpid())));
  s.reset();
  CHECK(sqlite_spool::open(f.options()).has_value());
}

TEST_CASE("the folder is made for the owner alone") {
  spool_fixture f;
  auto o = f.options();
  o.dir = f.folder.path / "deeper" / "spool";
  auto s = f.open(o);
  struct stat st {};
  REQUIRE(::stat(o.dir.c_str(), &st) == 0);
  CHECK((st.st_mode & 0777) == 0700);
}

TEST_CASE("a spool that cannot be used is refused in one sentence with its path") {
  spool_fixture f;
  auto const dir = f.options().dir;
  std::string expected;
  SECTION("not a folder") {
    overwrite(dir, "a file");
    expected = "cannot write in";
  }
  SECTION("inside something that is not a folder") {
    overwrite(f.folder.path / "file", "");
    auto o = f.options();
    o.dir = f.folder.path / "file" / "spool";
    auto const s = sqlite_spool::open(o);
    REQUIRE(s.has_error());
    CHECK_THAT(s.error().what, Catch::Contains(o.dir.string()) && Catch::Contains("cannot make the folder"));
    return;
  }
  SECTION("a newer format") {
    f.open();
    auto db = open_spool_file(dir, spool_access::command);
    REQUIRE(sqlite_run(db->get(), "PRAGMA user_version=4") == SQLITE_OK);
    expected =
        "newer profile-relay (format 4, this one reads 3): start that version, or set spool.envelopes.path";
  }
  SECTION("an unknown format") {
    f.open();
    auto db = open_spool_file(dir, spool_access::command);
    REQUIRE(sqlite_run(db->get(), "PRAGMA user_version=2") == SQLITE_OK);
    expected = "has an unknown format (2, this one reads 3): use the version that wrote it";
  }
  SECTION("another program's") {
    std::filesystem::create_directories(dir);
    sqlite3* raw = nullptr;
    sqlite3_open(spool_file(dir).c_str(), &raw);
    sqlite_ptr db(raw);
    REQUIRE(sqlite_run(raw, "CREATE TABLE t(x)") == SQLITE_OK);
    expected = "another program";
  }
  auto const s = sqlite_spool::open(f.options());
  REQUIRE(s.has_error());
  CHECK_THAT(s.error().what, Catch::Contains(dir.string()) && Catch::Contains(expected));
}

TEST_CASE("a damaged row is set aside and does not stop the others") {
  spool_fixture f;
  std::int64_t bad = 0;
  {
    auto s = f.open();
    f.put(*s, spool_record("a"));
    bad = f.put(*s, spool_record("b"));
    f.put(*s, spool_record("c"));
  }
  char const* damage = GENERATE(
      "DELETE FROM bodies WHERE key=2", "UPDATE records SET topic='?' WHERE key=2",
      "UPDATE records SET headers=x'05000000' WHERE key=2", "UPDATE records SET raw_offset=1000 WHERE key=2",
      "UPDATE records SET raw_offset=-1 WHERE key=2", "UPDATE records SET chunk_id='?' WHERE key=2",
      "UPDATE bodies SET value=zeroblob(100) WHERE key=2");
  REQUIRE(bad == 2);
  REQUIRE(sqlite_run(open_spool_file(f.options().dir, spool_access::command)->get(), damage) == SQLITE_OK);
  auto s = f.open();
  auto const readable = f.take(*s);
  REQUIRE(readable.size() == 2);
  CHECK(readable[0].record->chunk_id == "a");
  CHECK(readable[1].record->chunk_id == "c");
  CHECK(f.take(*s, readable[1].key).empty());
  CHECK(s->stats().dead_records == 1);
  s->close();
  REQUIRE(f.errors.size() == 1);
  CHECK_THAT(f.errors[0], Catch::Contains("record 2"));
}

TEST_CASE("a record whose state means nothing, or is of a server that died, waits") {
  spool_fixture f;
  f.put(*f.open(), spool_record("a"));
  auto const state = GENERATE("1", "9", "-1");
  REQUIRE(sqlite_run(open_spool_file(f.options().dir, spool_access::command)->get(),
                     (std::string("UPDATE records SET state=") + state).c_str()) == SQLITE_OK);
  CHECK(f.take(*f.open()).size() == 1);
}

TEST_CASE("headers survive any bytes, and damaged ones are noticed") {
  profile_relay::profile::kafka_record r, back;
  r.headers = {{"a", ""}, {"", std::string(300, '\0')}};
  auto const blob = encode_headers(r);
  REQUIRE(decode_headers(blob, back));
  CHECK(back.headers == r.headers);
  for (std::size_t n = 1; n < blob.size(); ++n) {
    profile_relay::profile::kafka_record cut;
    if (n != 9) CHECK_FALSE(decode_headers(blob.substr(0, n), cut));  // 9: after the first pair
  }
}

TEST_CASE("a full spool takes about what it may: at most a quarter more for records that fill a page badly") {
  auto const [least, most] = GENERATE(table<std::size_t, std::size_t>(
      {{90, 400}, {2000, 6000}, {8000, 15'000}, {17'000, 30'000}, {33'000, 60'000}, {90, 300'000}}));
  spool_fixture f;
  auto s = f.open();
  std::mt19937 dice(42);
  std::uniform_int_distribution<std::size_t> bytes(least, most);
  auto const n = std::clamp<std::size_t>(6'000'000 / most, 20, 2000);
  for (std::size_t i = 0; i < n; ++i) s->put(++f.last_id, spool_record("x", bytes(dice)));
  for (std::size_t i = 0; i < n; ++i) f.got.next<event::spooled>();
  auto const counted = static_cast<double>(s->stats().bytes);
  s->close();  // which moves the log into the file
  CAPTURE(least, most);
  CHECK(static_cast<double>(std::filesystem::file_size(spool_file(f.options().dir))) < 1.25 * counted);
}
