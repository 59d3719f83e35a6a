// A damaged spool: set aside under a new name, told, and all that is readable goes on.
#include <algorithm>
#include <map>
#include <set>

#include "server/io/spool_damage.hpp"
#include "server/io/spool_wal.hpp"
#include "tests/server/delivery/spool_fixture.hpp"

using namespace profile_relay::server;
namespace profile = profile_relay::profile;
namespace fs = std::filesystem;
using profile::logical_topic;

namespace {

constexpr int stored = 24;

std::string chunk_id(int n) {
  std::string s = std::to_string(n);
  return std::string(32 - s.size(), 'c') + s;
}

/// A message as Kafka gets it, of 300 bytes to about 92 KB.
record_ptr record_number(int n) {
  if (n % 8 == 7) {
    auto r = std::make_shared<profile::kafka_record>();
    r->topic = logical_topic::outcomes;
    r->value = R"({"outcome":3,"quantity":)" + std::to_string(n) + "}";
    r->received_ms = 1'790'000'003'000;
    return r;
  }
  profile::profile_message m;
  m.organization_id = 1;
  m.project_id = 42;
  m.received = 1'790'000'003;
  auto const payload = R"({"chunk_id":")" + chunk_id(n) + R"(","version":"2"})";
  std::string raw;
  for (int i = 0; i < n * n * 160; ++i) raw.push_back(static_cast<char>(i * n));
  m.payload = payload;
  m.raw_profile = std::as_bytes(std::span(raw));
  m.raw_profile_content_type = raw.empty() ? "" : "perfetto";
  return std::make_shared<profile::kafka_record>(
      profile::make_profile_record(m, chunk_id(n), 1'790'000'003'000));
}

struct damage_fixture : spool_fixture {
  fs::path dir = options().dir, file = spool_file(dir), wal = wal_of(file);

  /// Keys 1 to `stored`; 3 is dead. Some were there before and are gone: their pages are free.
  void fill() {
    auto s = open();
    for (int n = 1; n <= stored; ++n) put(*s, record_number(n));
    for (int n = 1; n <= 6; ++n) put(*s, record_number(n));
    for (int n = 1; n <= 6; ++n) {
      s->remove(stored + n);
      got.next<event::removed>();
    }
    s->mark_dead(3, "refused");
    got.next<event::removed>();
  }
  /// As a killed server leaves it: with a log that holds the last commits. Copied, because SQLite tidies up.
  void fill_and_crash() {
    auto const copy = folder.path / "crashed";
    {
      auto s = open();
      for (int n = 1; n <= stored; ++n) put(*s, record_number(n));
      fs::copy(dir, copy);
    }
    fs::remove_all(dir);
    fs::rename(copy, dir);
  }

  /// What a start makes of it: the numbers of the records that come back, each byte for byte what it was.
  std::set<int> start() {
    errors.clear();
    auto s = open();
    std::set<int> back;
    for (auto const& r : take(*s)) {
      auto const n = static_cast<int>(r.key);
      REQUIRE(n >= 1);
      REQUIRE(n <= stored);
      REQUIRE(r.record->value == record_number(n)->value);
      // Of an outcome the message alone says nothing of its receipt.
      if (r.record->topic == logical_topic::profiles) REQUIRE(same(*r.record, *record_number(n)));
      back.insert(n);
    }
    stats = s->stats();
    s->close();
    return back;
  }
  std::vector<fs::path> aside() const {
    std::vector<fs::path> found;
    for (auto const& e : fs::directory_iterator(dir))
      if (e.path().filename().string().find("damaged-") != std::string::npos) found.push_back(e.path());
    std::sort(found.begin(), found.end());
    return found;
  }
  void overwrite_at(fs::path const& p, std::size_t at, std::string const& bytes) const {
    std::fstream f(p, std::ios::binary | std::ios::in | std::ios::out);
    f.seekp(static_cast<std::streamoff>(at));
    f << bytes;
  }
  void check_told(std::string const& what) {
    REQUIRE(errors.size() == 1);
    CHECK_THAT(errors[0],
               Catch::Contains("is damaged") && Catch::Contains(what) && Catch::Contains(file.string()));
    CHECK(stats.set_aside == 1);
    REQUIRE_FALSE(aside().empty());
    CHECK_THAT(errors[0], Catch::Contains(aside()[0].string()));
    CHECK_FALSE(fs::exists(dir / "damaged"));
    CHECK_FALSE(fs::exists(fs::path(file) += ".new"));
    CHECK_FALSE(fs::exists(fs::path(file) += ".new.source"));
  }

  spool_stats stats;
};

std::set<int> all_but(std::set<int> const& without) {
  std::set<int> s;
  for (int n = 1; n <= stored; ++n)
    if (!without.contains(n)) s.insert(n);
  return s;
}

}  // namespace

TEST_CASE("a sound spool is left alone, after an orderly end and after a crash") {
  damage_fixture f;
  if (GENERATE(false, true)) {
    f.fill_and_crash();
    REQUIRE(survey_wal(f.wal).frames > 0);
    CHECK(survey_wal(f.wal).cut_off == 0);
    CHECK(f.start() == all_but({}));
  } else {
    f.fill();
    CHECK(f.start() == all_but({3}));
  }
  CHECK(f.aside().empty());
  CHECK(f.errors.empty());
  CHECK(f.stats.set_aside == 0);
}

TEST_CASE("damage at the beginning of the file costs nothing") {
  damage_fixture f;
  f.fill();
  auto const bytes = GENERATE(std::size_t{16}, std::size_t{100}, spool_page_size);
  f.overwrite_at(f.file, 0, std::string(bytes, 'x'));
  auto const damaged = contents(f.file);
  CHECK(f.start() == all_but({3}));
  f.check_told("not a database");
  CHECK(contents(f.aside()[0]) == damaged);
  CHECK(f.stats.salvage.salvaged == stored);
  CHECK(f.stats.salvage.lost == 0);
  CHECK(f.stats.dead_records == 1);
  SECTION("and its keys are not used again") {
    auto s = f.open();
    CHECK(f.put(*s, record_number(1)) == stored + 7);
  }
  SECTION("and the next start finds all well, and still tells of the file") {
    CHECK(f.start() == all_but({3}));
    CHECK(f.errors.empty());
    CHECK(f.stats.set_aside == 1);
    CHECK(f.stats.salvage.salvaged == 0);
  }
}

TEST_CASE("any one page that is overwritten costs the records of that page at most") {
  damage_fixture whole;
  whole.fill();
  auto const pages = fs::file_size(whole.file) / spool_page_size;
  std::size_t set_aside = 0, harmless = 0;
  std::map<std::uint64_t, int> by_loss;
  for (std::size_t page = 0; page < pages; ++page) {
    damage_fixture f;
    fs::copy(whole.dir, f.dir);
    f.overwrite_at(f.file, page * spool_page_size, std::string(spool_page_size, 'x'));
    auto const back = f.start();
    INFO("page " << page + 1 << " of " << pages);
    if (f.stats.set_aside == 0) {
      // A free page, or the inside of a body: that is found when it is read.
      CHECK(back.size() + f.stats.dead_records >= stored);
      ++harmless;
      continue;
    }
    ++set_aside;
    f.check_told("");
    // Record 3 is dead, and waits if its row had to be made anew.
    CHECK(f.stats.salvage.salvaged + f.stats.salvage.lost == stored);
    CHECK(f.stats.live_records + f.stats.dead_records == f.stats.salvage.salvaged);
    ++by_loss[f.stats.salvage.lost];
  }
  INFO("pages " << pages << ", of them " << harmless << " harmless");
  CHECK(set_aside > pages / 2);
  CHECK(by_loss[0] >= 4);  // the first page, the tables' roots and inner pages
  for (auto const& [lost, n] : by_loss) CHECK(lost <= 10);  // as many small bodies as share one page
}

TEST_CASE("changed bytes inside a body are found when it is read") {
  damage_fixture f;
  f.fill();
  auto const value = record_number(20)->value;
  auto const at = contents(f.file).find(value.substr(10'000, 1000));
  REQUIRE(at != std::string::npos);
  f.overwrite_at(f.file, at, "?");
  CHECK(f.start() == all_but({3, 20}));
  CHECK(f.stats.set_aside == 0);
  CHECK(f.stats.dead_records == 2);
  REQUIRE(f.errors.size() == 1);
  CHECK_THAT(f.errors[0], Catch::Contains("record 20") && Catch::Contains("damaged"));
}

TEST_CASE("a truncated file gives back what its rest holds") {
  damage_fixture f;
  f.fill();
  auto const whole = contents(f.file);
  auto const size =
      GENERATE_REF(whole.size() - spool_page_size, whole.size() / 2, std::size_t{5 * spool_page_size},
                   spool_page_size, std::size_t{100}, std::size_t{1});
  fs::resize_file(f.file, size);
  auto const back = f.start();
  f.check_told("");
  CHECK(contents(f.aside()[0]) == whole.substr(0, size));
  if (size == whole.size() - spool_page_size) CHECK(back.size() >= stored - 2);
  if (size == whole.size() / 2) CHECK(back.size() > 5);
}

TEST_CASE("an empty file, and one that never was a database, are set aside") {
  damage_fixture f;
  f.fill();
  auto const text = GENERATE(std::string(), std::string(5000, 'x'), std::string(100'000, '\0'));
  overwrite(f.file, text);
  CHECK(f.start().empty());
  f.check_told("");
  CHECK(contents(f.aside()[0]) == text);
}

TEST_CASE("a database that is gone leaves what its log holds") {
  damage_fixture f;
  f.fill_and_crash();
  auto const gone = GENERATE(true, false);
  if (gone)
    fs::remove(f.file);
  else
    fs::resize_file(f.file, 0);
  // No checkpoint has been made yet: the log holds every page.
  CHECK(f.start() == all_but({}));
  f.check_told(gone ? "the database is gone" : "the file is empty");
}

TEST_CASE("a log that is broken in its middle loses no commit behind the break") {
  damage_fixture f;
  f.fill_and_crash();
  auto const frames = survey_wal(f.wal).frames;
  REQUIRE(frames > 40);
  auto const frame = GENERATE_REF(std::uint64_t{0}, frames / 2, frames - 20);
  auto const at = 32 + frame * (24 + spool_page_size);
  SECTION("in the content of a page") {
    f.overwrite_at(f.wal, at + 24 + 100, "damage");
    auto const survey = survey_wal(f.wal);
    CHECK(survey.frames == frame);
    CHECK(survey.cut_off == frames - frame - 1);
    auto const back = f.start();
    f.check_told("write-ahead log is broken after " + std::to_string(frame));
    CHECK(back.size() >= stored - 1);
    CHECK(fs::exists(wal_of(f.aside()[0])));
  }
  SECTION("in the head of a frame") {
    f.overwrite_at(f.wal, at + 16, "damage");
    auto const back = f.start();
    CHECK(f.stats.set_aside == 1);
    CHECK(back.size() >= stored - 2);
  }
}

TEST_CASE("a log whose head is damaged is read all the same") {
  damage_fixture f;
  f.fill_and_crash();
  f.overwrite_at(f.wal, 0, std::string(GENERATE(std::size_t{4}, std::size_t{24}, std::size_t{32}), 'x'));
  auto const back = f.start();
  f.check_told("write-ahead log is broken after 0");
  CHECK(back.size() >= stored - 1);
}

TEST_CASE("a log that ends in a torn write is no damage") {
  damage_fixture f;
  f.fill_and_crash();
  SECTION("cut short") { fs::resize_file(f.wal, fs::file_size(f.wal) - 1000); }
  SECTION("with rubbish behind it") { std::ofstream(f.wal, std::ios::app) << std::string(3000, 'x'); }
  SECTION("with the last page torn") { f.overwrite_at(f.wal, fs::file_size(f.wal) - 100, "x"); }
  CHECK(f.start().size() >= stored - 1);
  CHECK(f.aside().empty());
  CHECK(f.errors.empty());
}

TEST_CASE("a log that is missing after a crash is told of, once") {
  damage_fixture f;
  f.fill();
  overwrite(f.dir / "lock", "4711\n");  // as a server leaves it that did not end by itself
  CHECK(f.start() == all_but({3}));
  REQUIRE(f.errors.size() == 1);
  CHECK_THAT(f.errors[0], Catch::Contains("write-ahead log is gone"));
  CHECK(f.aside().empty());
  f.start();
  CHECK(f.errors.empty());
}

TEST_CASE("what ends in the middle of setting aside goes on at the next start") {
  damage_fixture f;
  f.fill();
  f.overwrite_at(f.file, 0, std::string(100, 'x'));
  std::string const name = "spool.sqlite.damaged-20260921T141323Z";
  overwrite(f.dir / "damaged", name + "\nfound before\n");
  SECTION("before anything was moved") {}
  SECTION("after the database was moved") { fs::rename(f.file, f.dir / name); }
  SECTION("while the new one was written") {
    fs::rename(f.file, f.dir / name);
    overwrite((fs::path(f.file) += ".new"), "half of it");
  }
  SECTION("with the new one in place") {
    fs::remove(f.dir / "damaged");
    f.start();
    fs::rename(f.aside()[0], f.dir / name);
    overwrite(f.dir / "damaged", name + "\nfound before\n");
  }
  CHECK(f.start() == all_but({3}));
  CHECK_FALSE(fs::exists(f.dir / "damaged"));
  CHECK_FALSE(fs::exists(fs::path(f.file) += ".new"));
  REQUIRE(f.errors.size() == 1);
  CHECK_THAT(f.errors[0], Catch::Contains("found before") && Catch::Contains(name));
  CHECK(fs::exists(f.dir / name));
}

TEST_CASE("a mark that was not written to its end stands for nothing") {
  damage_fixture f;
  f.fill();
  overwrite(f.dir / "damaged", GENERATE("", "spool.sqlite.damaged-2026", "../elsewhere\nwhy\n"));
  CHECK(f.start() == all_but({3}));
  CHECK(f.errors.empty());
  CHECK(f.aside().empty());
}

TEST_CASE("damage that shows while the server runs costs no record that is stored then, and no restart") {
  damage_fixture f;
  f.fill();
  auto s = f.open();
  auto const before = f.take(*s);
  REQUIRE(before.size() == stored - 1);
  // All pages but the first: whatever the next write needs is damaged, and what SQLite has in memory is not.
  auto const pages = fs::file_size(f.file) / spool_page_size;
  f.overwrite_at(f.file, spool_page_size, std::string((pages - 1) * spool_page_size, 'x'));
  sqlite_run(open_spool_file(f.dir, spool_access::command)->get(),
             "PRAGMA user_version=3");  // drops that memory
  auto const key = f.put(*s, record_number(9));
  CHECK(key > stored);
  CHECK(s->stats().set_aside == 1);
  CHECK(f.take(*s, stored).size() == 1);
  s->close();
  CHECK(std::count_if(f.errors.begin(), f.errors.end(),
                      [](auto const& e) { return e.find("set aside") != std::string::npos; }) == 1);
}
