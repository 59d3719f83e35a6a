#include <nlohmann/json.hpp>
#include <set>

#include "profile/outcome.hpp"
#include "server/io/spool_export.hpp"
#include "tests/server/delivery/spool_fixture.hpp"

using namespace profile_relay::server;
namespace profile = profile_relay::profile;
namespace fs = std::filesystem;

namespace {

std::string const chunk_id = "0123456789abcdef0123456789abcdef";

record_ptr profile_record(std::string const& raw) {
  profile::profile_message m;
  m.organization_id = 1;
  m.project_id = 42;
  m.received = 1'790'000'003;
  m.payload = R"({"version":"2"})";
  m.raw_profile = std::as_bytes(std::span(raw));
  m.raw_profile_content_type = "application/x-perfetto-trace";
  return std::make_shared<profile::kafka_record>(
      profile::make_profile_record(m, chunk_id, 1'790'000'003'123));
}

std::set<std::string> names(fs::path const& dir) {
  std::set<std::string> s;
  for (auto const& e : fs::directory_iterator(dir)) s.insert(e.path().filename().string());
  return s;
}

}  // namespace

TEST_CASE("spool ls works beside a running server and sees what it has just stored") {
  spool_fixture f;
  auto s = f.open();
  auto const r = spool_reader::open(f.options().dir);
  REQUIRE(r.has_value());
  CHECK(r->list()->empty());
  auto const a = f.put(*s, profile_record("trace"));
  auto const b = f.put(*s, spool_record("", 90, profile::logical_topic::outcomes));
  s->mark_dead(a, "too large \"for\" the broker");
  f.got.next<event::removed>();
  auto const rows = r->list();
  REQUIRE(rows.has_value());
  REQUIRE(rows->size() == 2);
  auto const& row = (*rows)[0];
  CHECK(row.key == a);
  CHECK(row.received_ms == 1'790'000'003'123);
  CHECK(row.topic == "profiles");
  CHECK(row.chunk_id == chunk_id);
  CHECK(row.size == profile_record("trace")->value.size());
  CHECK(row.dead());
  CHECK((*rows)[1].key == b);
  CHECK_FALSE((*rows)[1].dead());

  auto const table = spool_table(*rows, 1'790'000'003'123 + 7'200'000);
  CHECK_THAT(table, Catch::Contains(chunk_id) && Catch::Contains("2h") && Catch::Contains("dead: too large"));
  auto const text = spool_json(*rows);
  auto const first = nlohmann::json::parse(text.substr(0, text.find('\n')));
  CHECK(first["id"] == a);
  CHECK(first["state"] == "dead");
  CHECK(first["why"] == "too large \"for\" the broker");
  CHECK(std::count(text.begin(), text.end(), '\n') == 2);
}

TEST_CASE("reading a spool changes nothing and needs one") {
  spool_fixture f;
  auto const dir = f.options().dir;
  auto const none = spool_reader::open(dir);
  REQUIRE(none.has_error());
  CHECK_THAT(none.error().what, Catch::Contains("there is no spool at") && Catch::Contains(dir.string()));
  CHECK_FALSE(fs::exists(dir));
  {
    auto s = f.open();
    f.put(*s, profile_record(""));
  }
  auto const before = contents(spool_file(dir));
  CHECK(spool_reader::open(dir)->list()->size() == 1);
  CHECK(contents(spool_file(dir)) == before);
}

TEST_CASE("spool export writes a folder per record") {
  spool_fixture f;
  auto s = f.open();
  f.put(*s, profile_record("raw \x01 trace"));
  f.put(*s, profile_record(""));
  auto outcome = std::make_shared<profile::kafka_record>();
  outcome->topic = profile::logical_topic::outcomes;
  outcome->key = std::string(16, '\x80');
  outcome->value = R"({"outcome":3})";
  f.put(*s, outcome);
  auto const reader = spool_reader::open(f.options().dir);
  auto const out = f.folder.path / "out";
  auto const counts = export_spool(*reader, out);
  REQUIRE(counts.has_value());
  CHECK(counts->written == 3);
  CHECK(names(out) == std::set<std::string>{"1-" + chunk_id, "2-" + chunk_id, "3-outcomes"});

  auto const one = out / ("1-" + chunk_id);
  CHECK(names(one) ==
        std::set<std::string>{"message.msgpack", "payload.json", "profile.pftrace", "record.json"});
  CHECK(contents(one / "message.msgpack") == profile_record("raw \x01 trace")->value);
  CHECK(contents(one / "payload.json") == R"({"version":"2"})");
  CHECK(contents(one / "profile.pftrace") == "raw \x01 trace");
  auto const j = nlohmann::json::parse(contents(one / "record.json"));
  CHECK(j["chunk_id"] == chunk_id);
  CHECK(j["headers"]["project_id"] == "42");
  CHECK(j["kafka_key"].is_null());
  CHECK(j["organization_id"] == 1);
  CHECK(j["raw_profile_content_type"] == "application/x-perfetto-trace");
  CHECK(names(out / ("2-" + chunk_id)) ==
        std::set<std::string>{"message.msgpack", "payload.json", "record.json"});

  auto const three = out / "3-outcomes";
  CHECK(names(three) == std::set<std::string>{"outcome.json", "record.json"});
  CHECK(contents(three / "outcome.json") == R"({"outcome":3})");
  CHECK(nlohmann::json::parse(contents(three / "record.json"))["kafka_key"] ==
        "0x80808080808080808080808080808080");

  SECTION("a second time it leaves everything as it is") {
    overwrite(one / "payload.json", "edited");
    auto const again = export_spool(*reader, out);
    REQUIRE(again.has_value());
    CHECK(again->written == 0);
    CHECK(again->already_there == 3);
    CHECK(contents(one / "payload.json") == "edited");
  }
  SECTION("a foreign folder of the same name is not touched") {
    fs::remove_all(one);
    fs::create_directories(one);
    overwrite(one / "mine", "precious");
    auto const again = export_spool(*reader, out);
    REQUIRE(again.has_error());
    CHECK_THAT(again.error().what, Catch::Contains(one.string()));
    CHECK(names(one) == std::set<std::string>{"mine"});
  }
  SECTION("a folder that cannot be written is named") {
    overwrite(f.folder.path / "file", "");
    auto const again = export_spool(*reader, f.folder.path / "file" / "x");
    REQUIRE(again.has_error());
    CHECK_THAT(again.error().what, Catch::Contains((f.folder.path / "file" / "x").string()));
  }
}

TEST_CASE("an export survives damaged records and does not trust names in the file") {
  spool_fixture f;
  {
    auto s = f.open();
    f.put(*s, spool_record("../../escape"));
    f.put(*s, profile_record(""));
    f.put(*s, profile_record(""));
  }
  REQUIRE(sqlite_run(open_spool_file(f.options().dir, spool_access::command)->get(),
                     "DELETE FROM bodies WHERE key=2") == SQLITE_OK);
  auto const out = f.folder.path / "a" / "b" / "out";
  auto const counts = export_spool(*spool_reader::open(f.options().dir), out);
  REQUIRE(counts.has_value());
  CHECK(counts->written == 2);
  REQUIRE(counts->unreadable.size() == 1);
  CHECK_THAT(counts->unreadable[0], Catch::Contains("record 2"));
  CHECK(names(out) == std::set<std::string>{"1-profiles", "3-" + chunk_id});
}
