#include <catch2/catch.hpp>

#include "config/project.hpp"
#include "support.hpp"

using namespace profile_relay::config;
using namespace config_test;

namespace {

std::string key_of(char digit) { return std::string(32, digit); }

std::string text(char key, std::string const& slug = "s") {
  return R"({"organizationId": 1, "slug": ")" + slug + R"(", "publicKeys": [{"publicKey": ")" + key_of(key) +
         "\"}]}";
}

std::string slug_of(project_set const& set, std::uint64_t id) {
  auto const p = set.snapshot()->find_project(id);
  return p ? p->slug : "(none)";
}

}  // namespace

TEST_CASE("a reload finds projects by id and by key") {
  project_set set;
  CHECK(set.snapshot()->size() == 0);
  auto const report = set.reload({{"2.json", text('b')}, {"1.json", text('a', "one")}});
  CHECK(report.changed);
  CHECK(report.errors.empty());
  CHECK(report.warnings.empty());
  CHECK(set.snapshot()->size() == 2);
  auto const found = set.snapshot()->find_key(key_of('a'));
  REQUIRE(found);
  CHECK(found->owner->id == 1);
  CHECK(found->key->key == key_of('a'));
  CHECK_FALSE(set.snapshot()->find_key(key_of('c')));
  CHECK(set.snapshot()->find_project(3) == nullptr);
}

TEST_CASE("unchanged files are neither parsed nor reported again") {
  project_set set;
  auto const odd = R"({"publicKeys": []})";  // two warnings
  auto const first =
      set.reload({{"1.json", text('a')}, {"2.json", odd}, {"notes.json", "x"}, {"3.json", "{"}});
  CHECK(first.warnings.size() == 3);
  CHECK(first.errors.size() == 1);
  CHECK(first.broken_files == 1);
  auto const snapshot = set.snapshot();
  auto const second =
      set.reload({{"1.json", text('a')}, {"2.json", odd}, {"notes.json", "x"}, {"3.json", "{"}});
  CHECK_FALSE(second.changed);
  CHECK(second.warnings.empty());
  CHECK(second.errors.empty());
  CHECK(second.broken_files == 1);
  CHECK(set.snapshot() == snapshot);
}

TEST_CASE("a broken file keeps its last good version, the others go on") {
  project_set set;
  set.reload({{"1.json", text('a', "old")}, {"2.json", text('b', "old")}});
  auto const report = set.reload({{"1.json", "{\n\"slug\": 5}"}, {"2.json", text('b', "new")}});
  CHECK(report.changed);
  REQUIRE(report.errors.size() == 1);
  CHECK(report.errors[0] ==
        "1.json:2: slug: expected text, found a number (the last good version stays in force)");
  CHECK(report.broken_files == 1);
  CHECK(slug_of(set, 1) == "old");
  CHECK(slug_of(set, 2) == "new");

  auto const still = set.reload({{"1.json", "{\n\"slug\": 6}"}, {"2.json", text('b', "new")}});
  CHECK_FALSE(still.changed);
  CHECK(still.broken_files == 1);

  auto const repaired = set.reload({{"1.json", text('a', "new")}, {"2.json", text('b', "new")}});
  CHECK(repaired.changed);
  CHECK(repaired.broken_files == 0);
  CHECK(slug_of(set, 1) == "new");
}

TEST_CASE("a file that is broken from the start is absent") {
  project_set set;
  auto const report = set.reload({{"1.json", "nonsense"}, {"2.json", text('b')}});
  REQUIRE(report.errors.size() == 1);
  CHECK(contains(report.errors[0], "1.json:1: "));
  CHECK(contains(report.errors[0], "(the project is not served)"));
  CHECK(set.snapshot()->size() == 1);
}

TEST_CASE("an unreadable file counts as broken and is told once") {
  project_set set;
  set.reload({{"1.json", text('a', "old")}});
  auto const gone = set.reload({{"1.json", std::nullopt}});
  REQUIRE(gone.errors.size() == 1);
  CHECK(gone.errors[0] == "1.json: cannot be read (the last good version stays in force)");
  CHECK(gone.broken_files == 1);
  CHECK_FALSE(gone.changed);
  CHECK(set.reload({{"1.json", std::nullopt}}).errors.empty());
  CHECK(slug_of(set, 1) == "old");
  CHECK(set.reload({{"1.json", text('a', "old")}}).broken_files == 0);
}

TEST_CASE("a removed file removes its project while an old snapshot stays whole") {
  project_set set;
  set.reload({{"1.json", text('a')}, {"2.json", text('b')}});
  auto const before = set.snapshot();
  auto const report = set.reload({{"2.json", text('b')}});
  CHECK(report.changed);
  CHECK(slug_of(set, 1) == "(none)");
  CHECK_FALSE(set.snapshot()->find_key(key_of('a')));
  CHECK(before->find_key(key_of('a')));
  CHECK_FALSE(set.reload({{"2.json", text('b')}}).changed);
}

TEST_CASE("removing a file that never was good changes nothing") {
  project_set set;
  set.reload({{"1.json", "broken"}, {"2.json", text('b')}});
  auto const report = set.reload({{"2.json", text('b')}});
  CHECK_FALSE(report.changed);
  CHECK(report.broken_files == 0);
}

TEST_CASE("of two files with one key the first in name order wins") {
  project_set set;
  auto const report = set.reload({{"2.json", text('a')}, {"10.json", text('a')}});
  REQUIRE(report.errors.size() == 1);
  CHECK(report.errors[0] ==
        "2.json: public key " + key_of('a') + " already belongs to 10.json, which stays in force");
  CHECK(set.snapshot()->find_key(key_of('a'))->owner->id == 10);
  CHECK(set.snapshot()->size() == 2);
  set.reload({{"2.json", text('a')}});
  CHECK(set.snapshot()->find_key(key_of('a'))->owner->id == 2);
}

TEST_CASE("of two files with one project id the first in name order wins") {
  project_set set;
  auto const other =
      R"({"projectId": 1, "organizationId": 1, "slug": "two", "publicKeys": [{"publicKey": ")" + key_of('b') +
      "\"}]}";
  auto const report = set.reload({{"1.json", text('a', "one")}, {"2.json", other}});
  REQUIRE(report.errors.size() == 1);
  CHECK(report.errors[0] ==
        "2.json: project id 1 is already defined by 1.json, which stays in force; this file is left out");
  CHECK(slug_of(set, 1) == "one");
  CHECK_FALSE(set.snapshot()->find_key(key_of('b')));
}

TEST_CASE("a file whose name is no number is a warning, not a broken project") {
  project_set set;
  auto const report = set.reload({{"shop.json", text('a')}});
  CHECK(report.errors.empty());
  CHECK(report.broken_files == 0);
  CHECK_FALSE(report.changed);
  REQUIRE(report.warnings.size() == 1);
  CHECK(contains(report.warnings[0], "shop.json: skipped"));
}

TEST_CASE("an unreadable file is told with its cause, and once more when the cause changes") {
  project_set set;
  set.reload({{"1.json", text('a', "one")}});
  auto const gone = set.reload({{"1.json", std::nullopt, "not a regular file"}});
  REQUIRE(gone.errors.size() == 1);
  CHECK(gone.errors[0] ==
        "1.json: cannot be read: not a regular file (the last good version stays in force)");
  CHECK(set.reload({{"1.json", std::nullopt, "not a regular file"}}).errors.empty());
  CHECK(set.reload({{"1.json", std::nullopt, "Permission denied"}}).errors.size() == 1);
  CHECK(slug_of(set, 1) == "one");
}

TEST_CASE("a name that is no project's is skipped with a warning, whatever lies there") {
  project_set set;
  for (auto const& name : {"notes.json", "1a.json", "-1.json", "18446744073709551616.json"}) {
    auto const report = set.reload({{name, std::nullopt, "not a regular file"}});
    INFO(name);
    CHECK(report.errors.empty());
    CHECK(report.broken_files == 0);
    REQUIRE(report.warnings.size() == 1);
    CHECK(contains(report.warnings[0], name));
  }
}
