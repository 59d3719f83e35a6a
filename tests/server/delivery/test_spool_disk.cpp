// Disks that fail at any call, and power that goes at any moment: what was answered is there afterwards.
#include <atomic>
#include <future>
#include <map>
#include <set>

#include "tests/server/delivery/disk_shim.hpp"
#include "tests/server/delivery/spool_fixture.hpp"

using namespace profile_relay::server;

namespace {

/// Files of one spool to start from, so that making one costs its syncs only once.
struct prepared {
  prepared() {
    auto s = f.open();
    for (auto const* id : {"old 1", "old 2", "old 3"}) f.put(*s, spool_record(id, 20'000));
  }
  spool_fixture f;
};
prepared& start_files() {
  static prepared p;
  return p;
}

/// A spool and what it has promised.
struct promises {
  explicit promises(bool fresh = false) {
    if (!fresh) {
      std::filesystem::copy(start_files().f.options().dir, options().dir);
      for (std::int64_t key = 1; key <= 3; ++key)
        stored[key] = spool_record("old " + std::to_string(key), 20'000);
    }
  }
  spool_options options() {
    auto o = f.options();
    o.probe_pause = std::chrono::milliseconds(1);
    o.look_pause = std::chrono::hours(1);  // reads only, and each would count
    o.log_error = nullptr;
    return o;
  }
  bool open() {
    auto opened = sqlite_spool::open(options());
    if (opened) spool = std::move(*opened);
    return spool != nullptr;
  }
  delivery_event answer() { return f.got.any(); }

  /// Each call and its answer; true = it was done.
  bool put(std::string const& id, std::size_t bytes) {
    auto const r = spool_record(id, bytes);
    spool->put(++f.last_id, r);
    return note_put(r, answer());
  }
  bool note_put(record_ptr const& r, delivery_event const& e) {
    auto const* done = std::get_if<event::spooled>(&e);
    if (done) stored[done->key] = r;
    return done != nullptr;
  }
  void remove(std::int64_t key) {
    if (!stored.contains(key)) return;
    spool->remove(key);
    unsure.insert(key);  // until it is answered
    if (std::holds_alternative<event::removed>(answer())) {
      stored.erase(key);
      gone.insert(key);
    }
  }
  void mark_dead(std::int64_t key) {
    if (!stored.contains(key)) return;
    spool->mark_dead(key, "why");
    unsure.insert(key);
    if (std::holds_alternative<event::removed>(answer())) dead.insert(key);
  }
  void take_and_release() {
    spool->take_oldest(0, 1u << 30);
    auto const e = answer();
    if (auto const* found = std::get_if<event::stored>(&e)) {
      std::vector<std::int64_t> keys;
      for (auto const& r : found->records) keys.push_back(r.key);
      spool->release(keys);
    }
  }
  /// All that the spool does.
  void everything() {
    put("small 1", 100);
    take_and_release();
    put("large", 60'000);
    remove(1);
    put("small 2", 100);
    mark_dead(2);
    take_and_release();
    put("large again", 30'000);
  }

  /// After a start on sound files: the promises that are broken.
  std::vector<std::string> broken() {
    std::vector<std::string> found;
    auto s = f.open();
    std::map<std::int64_t, record_ptr> there;
    for (auto& r : f.take(*s)) there[r.key] = r.record;
    for (auto const& [key, r] : stored) {
      if (dead.contains(key) || (!there.contains(key) && unsure.contains(key))) continue;
      if (!there.contains(key))
        found.push_back("lost: " + r->chunk_id);
      else if (!same(*there[key], *r))
        found.push_back("not what it was: " + r->chunk_id);
    }
    for (auto const key : gone)
      if (there.contains(key)) found.push_back("back again: " + std::to_string(key));
    if (s->stats().dead_records < dead.size()) found.emplace_back("a dead record is lost");
    if (s->stats().set_aside != 0) found.emplace_back("taken for damage");
    return found;
  }

  spool_fixture f;
  std::unique_ptr<sqlite_spool> spool;
  std::map<std::int64_t, record_ptr> stored;
  std::set<std::int64_t> gone, dead, unsure;
};

using no_faults = std::vector<std::string>;

/// The connections that SQLite opens; a test reaches the spool's own through it.
sqlite3* last_opened = nullptr;
int note_opened(sqlite3* db, char**, void const*) {
  last_opened = db;
  return SQLITE_OK;
}

}  // namespace

TEST_CASE(
    "whichever call of the disk fails, nothing that was answered is lost, and it goes on when the disk "
    "does") {
  bool const fresh = GENERATE(false, true);
  int const code = GENERATE(SQLITE_FULL, SQLITE_IOERR_WRITE);
  // One call only, or all until the disk works again.
  std::uint64_t const more = GENERATE(std::uint64_t{0}, std::uint64_t{1'000'000});
  std::uint64_t failures = 0;
  for (std::uint64_t k = 1;; ++k) {
    disk_shim disk;
    promises p(fresh);
    disk.fail(k, more, code);
    if (p.open()) p.everything();
    bool const failed = disk.has_failed();
    disk.heal();
    INFO("call " << k);
    // Where the start was refused, the next one works; where it was not, no restart is needed.
    if (!p.spool) REQUIRE(p.open());
    REQUIRE(p.put("after", 50'000));
    p.spool.reset();
    REQUIRE(p.broken() == no_faults{});
    if (!failed) break;
    ++failures;
  }
  CHECK(failures > 20);
}

TEST_CASE("a power cut at any moment loses nothing that was answered, and would with fewer syncs") {
  bool const full = GENERATE(true, false);
  std::size_t lost = 0, promised = 0;
  for (std::uint32_t seed = 1; seed <= 60; ++seed) {
    std::mt19937 chance(seed);
    disk_shim disk;
    promises p;
    sqlite3_auto_extension(reinterpret_cast<void (*)()>(note_opened));
    REQUIRE(p.open());
    sqlite3_cancel_auto_extension(reinterpret_cast<void (*)()>(note_opened));
    // The same in all but this: the spool says FULL. Its thread is idle and looks at nothing before the first call.
    if (!full) REQUIRE(sqlite_run(last_opened, "PRAGMA synchronous=NORMAL") == SQLITE_OK);
    disk.fail(1 + chance() % 60, 1'000'000, SQLITE_IOERR_WRITE);
    for (int i = 0; !disk.has_failed(); ++i) {
      // Several at once: one transaction.
      std::vector<record_ptr> records;
      for (std::uint32_t n = 1 + chance() % 4; n != 0; --n) {
        records.push_back(
            spool_record("seed " + std::to_string(i) + " " + std::to_string(n), 10 + chance() % 30'000));
        p.spool->put(++p.f.last_id, records.back());
      }
      for (auto const& r : records) p.note_put(r, p.answer());
      if (i == 1) p.remove(1);
    }
    promised += p.stored.size();
    p.spool.reset();
    disk.heal();
    disk.cut_power(chance);
    std::filesystem::remove(p.options().dir / "spool.sqlite-shm");
    auto const broken = p.broken();
    INFO("seed " << seed);
    if (full) REQUIRE(broken == no_faults{});
    lost += broken.size();
  }
  CHECK(promised > 200);
  // Without this the check above would prove nothing.
  if (!full) CHECK(lost > 20);
}

TEST_CASE("records that come while a sync runs share the next transaction and its one sync") {
  std::promise<void> syncing, go_on;
  std::atomic<bool> first{true};
  disk_shim disk;
  promises p;
  REQUIRE(p.open());
  REQUIRE(p.put("head", 10));  // the log's own head has a sync of its own
  disk.on_log_sync = [&, may = go_on.get_future().share()] {
    if (first.exchange(false)) syncing.set_value();
    may.wait_for(std::chrono::seconds(60));
  };
  p.spool->put(2, spool_record("first"));
  REQUIRE(syncing.get_future().wait_for(std::chrono::seconds(60)) == std::future_status::ready);
  auto const before = disk.log_syncs();
  for (std::uint64_t id = 3; id <= 302; ++id) p.spool->put(id, spool_record("many", 1000));
  go_on.set_value();
  for (std::uint64_t id = 2; id <= 302; ++id) CHECK(p.f.got.next<event::spooled>().id == id);
  CHECK(disk.log_syncs() == before + 2);
}
