#include "server/core/rate_limiter.hpp"

#include <array>
#include <catch2/catch.hpp>
#include <thread>

#include "config/project.hpp"

using namespace profile_relay;
using namespace profile_relay::server;
using enum envelope::data_category;
using act = rate_counters::act;

namespace {

constexpr std::uint64_t t0 = 1'200'000'000;  // the start of a minute and of an hour

/// A project file with two keys, the second without a number, and these quotas.
config::project with_quotas(std::string const& quotas, std::uint64_t id = 42) {
  auto const text = R"({"publicKeys":[{"publicKey":")" + std::string(32, 'a') +
                    R"(","numericId":1054},{"publicKey":")" + std::string(32, 'b') +
                    R"("}],"organizationId":7,"config":{"quotas":[)" + quotas + "]}}";
  auto parsed = config::parse_project(std::to_string(id) + ".json", text);
  REQUIRE(parsed.has_value());
  CHECK(parsed->warnings == std::vector<std::string>{});
  return std::move(parsed->value);
}

project_scope scope_of(config::project project, std::size_t key = 0) {
  auto owned = std::make_shared<config::project>(std::move(project));
  return {owned, &owned->keys.at(key)};
}

struct limiter_of {
  local_rate_counters counters;
  rate_limiter limiter{counters, 300};

  bool passes(project_scope const& s, std::uint64_t now = t0,
              envelope::data_category c = profile_chunk) const {
    return limiter.check(s, c, now, act::count).empty();
  }
  int passing(project_scope const& s, int tries, std::uint64_t now = t0) const {
    int n = 0;
    for (int i = 0; i < tries; ++i) n += passes(s, now) ? 1 : 0;
    return n;
  }
};

std::string counted(std::string const& more) {
  return R"({"id":"q","categories":["profile_chunk"],"limit":2,"window":60)" + more + "}";
}

quota_counter counter(std::string key, std::uint64_t slot, std::uint64_t end,
                      std::optional<std::uint64_t> limit = 1) {
  return {std::move(key), slot, end, limit};
}

}  // namespace

TEST_CASE("what a quota refuses, field by field, and how the client is told") {
  struct row {
    char const* name;
    std::string quotas;
    int passing;  // of 4 chunks of category profile_chunk at t0 + 12
    char const* header;
  };
  auto const r = GENERATE(values<row>({
      {"no quota", "", 4, ""},
      {"the first two of a window", counted(R"(,"reasonCode":"full")"), 2,
       "48:profile_chunk:organization:full"},
      {"without a reason", counted(""), 2, "48:profile_chunk:organization"},
      {"limit 0: nothing passes, 60 s", R"({"limit":0})", 0, "60::organization"},
      {"limit 0 with all fields",
       R"({"id":"x","limit":0,"window":3600,"scope":"key","categories":["profile_chunk","error"],"reasonCode":"off"})",
       0, "60:profile_chunk;error:key:off"},
      {"limit 0 of an empty list: all categories", R"({"limit":0,"categories":[]})", 0, "60::organization"},
      {"limit 0 of another category", R"({"limit":0,"categories":["profile_chunk_ui"]})", 4, ""},
      {"a known category beside an unknown one", R"({"limit":0,"categories":["nonsense","profile_chunk"]})",
       0, "60:profile_chunk:organization"},
      {"limit null counts only", R"({"id":"q","categories":["profile_chunk"],"limit":null,"window":60})", 4,
       ""},
      {"limit missing counts only", R"({"id":"q","categories":["profile_chunk"],"window":60})", 4, ""},
      {"scope organization", counted(R"(,"scope":"organization")"), 2, "48:profile_chunk:organization"},
      {"scope project", counted(R"(,"scope":"project")"), 2, "48:profile_chunk:project"},
      {"scope key", counted(R"(,"scope":"key")"), 2, "48:profile_chunk:key"},
      {"unknown scope: the most specific", counted(R"(,"scope":"galaxy")"), 2, "48:profile_chunk:key"},
      {"scopeId of this organization", counted(R"(,"scopeId":"7")"), 2, "48:profile_chunk:organization"},
      {"scopeId of another organization", counted(R"(,"scopeId":"8")"), 4, ""},
      {"scopeId of this project", counted(R"(,"scope":"project","scopeId":"42")"), 2,
       "48:profile_chunk:project"},
      {"scopeId of another project", counted(R"(,"scope":"project","scopeId":"7")"), 4, ""},
      {"scopeId of this key", counted(R"(,"scope":"key","scopeId":"1054")"), 2, "48:profile_chunk:key"},
      {"scopeId of another key", counted(R"(,"scope":"key","scopeId":"42")"), 4, ""},
      {"a window of an hour: the wait is capped",
       R"({"id":"q","categories":["profile_chunk"],"limit":1,"window":3600})", 1,
       "300:profile_chunk:organization"},
      {"two full at once, in their order",
       counted(R"(,"reasonCode":"a")") +
           R"(,{"id":"r","categories":["profile_chunk_ui","profile_chunk"],"limit":2,"window":100,"scope":"project"})",
       2, "48:profile_chunk:organization:a, 88:profile_chunk_ui;profile_chunk:project"},
      {"limit 0 beside a counted one", counted("") + R"(,{"limit":0})", 0, "60::organization"},
  }));
  INFO(r.name);
  auto const scope = scope_of(with_quotas(r.quotas));
  limiter_of const l;
  CHECK(l.passing(scope, 4, t0 + 12) == r.passing);
  CHECK(header_text(l.limiter.check(scope, profile_chunk, t0 + 12, act::look)) == r.header);
}

TEST_CASE("a scopeId of keys matches no key without a number") {
  limiter_of const l;
  CHECK(l.passing(scope_of(with_quotas(counted(R"(,"scope":"key","scopeId":"1054")")), 1), 4) == 4);
  CHECK(l.passing(scope_of(with_quotas(counted(R"(,"scope":"key")")), 1), 4) == 2);
}

TEST_CASE("each scope counts its own instances together, and no others") {
  struct row {
    std::string scope;
    int other_key, other_project;  // of 4 chunks, after the first key has used the quota up
  };
  auto const r =
      GENERATE(values<row>({{"organization", 0, 0}, {"project", 0, 2}, {"key", 2, 0}, {"galaxy", 2, 0}}));
  INFO(r.scope);
  auto const quota = counted(R"(,"scope":")" + r.scope + R"(")");
  limiter_of const l;
  CHECK(l.passing(scope_of(with_quotas(quota)), 4) == 2);
  CHECK(l.passing(scope_of(with_quotas(quota), 1), 4) == r.other_key);
  // The same key text in another project does not exist, so a key's counter needs no project in it.
  CHECK(l.passing(scope_of(with_quotas(quota, 43)), 4) == r.other_project);
}

TEST_CASE("windows are aligned to the epoch and begin anew at their end") {
  auto const scope = scope_of(with_quotas(counted("")));
  limiter_of const l;
  CHECK(l.passing(scope, 4, t0 + 59) == 2);
  CHECK(l.passing(scope, 4, t0 + 60) == 2);
  auto const wait = [&](std::uint64_t now) {
    auto const limits = l.limiter.check(scope, profile_chunk, now, act::look);
    return limits.empty() ? 0 : limits[0].retry_s;
  };
  CHECK(wait(t0 + 60) == 60);
  CHECK(wait(t0 + 119) == 1);
  CHECK(wait(t0 + 120) == 0);
}

TEST_CASE("all categories of a quota share one count") {
  auto const scope = scope_of(
      with_quotas(R"({"id":"q","categories":["profile_chunk","profile_chunk_ui"],"limit":2,"window":60})"));
  limiter_of const l;
  CHECK(l.passes(scope, t0, profile_chunk));
  CHECK(l.passes(scope, t0, profile_chunk_ui));
  CHECK_FALSE(l.passes(scope, t0, profile_chunk));
}

TEST_CASE("a look counts nothing") {
  auto const scope = scope_of(with_quotas(counted("")));
  limiter_of const l;
  for (int i = 0; i < 5; ++i) CHECK(l.limiter.check(scope, profile_chunk, t0, act::look).empty());
  CHECK(l.passing(scope, 4) == 2);
}

TEST_CASE("a refused chunk uses up no quota") {
  // Of three chunks one passes; were the other two counted in the wide quota, it would be full for the next minute.
  auto const scope =
      scope_of(with_quotas(R"({"id":"narrow","categories":["profile_chunk"],"limit":1,"window":60},)"
                           R"({"id":"wide","categories":["profile_chunk"],"limit":2,"window":3600})"));
  limiter_of const l;
  CHECK(l.passing(scope, 3, t0) == 1);
  CHECK(l.passing(scope, 3, t0 + 60) == 1);
  CHECK(l.passing(scope, 3, t0 + 120) == 0);
  // Neither does one that a limit of 0 refuses.
  auto const off = scope_of(with_quotas(counted("") + R"(,{"limit":0,"scope":"key","scopeId":"1054"})"));
  limiter_of const other;
  CHECK(other.passing(off, 4) == 0);
  CHECK(other.counters.stats().counters == 0);
}

TEST_CASE("quotas of one id count a chunk once") {
  auto const scope = scope_of(with_quotas(counted("") + "," + counted(R"(,"reasonCode":"again")")));
  limiter_of const l;
  CHECK(l.passing(scope, 4) == 2);
}

TEST_CASE("a window whose number does not fit is no trouble") {
  auto const scope = scope_of(
      with_quotas(R"({"id":"q","categories":["profile_chunk"],"limit":1,"window":18446744073709551615})"));
  limiter_of const l;
  CHECK(l.passing(scope, 3) == 1);
  CHECK(l.limiter.check(scope, profile_chunk, t0, act::look).at(0).retry_s == 300);
}

TEST_CASE("limits that a request meets again are told once, with the longer wait") {
  rate_limit const a{10, {"profile_chunk"}, config::quota_scope::key, "r", "q"};
  auto const with = [&](auto change) {
    auto copy = a;
    change(copy);
    return copy;
  };
  rate_limits all;
  merge(all, {a});
  merge(all, {with([](auto& l) { l.retry_s = 12; }), with([](auto& l) { l.retry_s = 5; })});
  CHECK(header_text(all) == "12:profile_chunk:key:r");
  merge(all, {with([](auto& l) { l.categories = {}; }), with([](auto& l) { l.reason_code = ""; }),
              with([](auto& l) { l.scope = config::quota_scope::project; })});
  CHECK(header_text(all) ==
        "12:profile_chunk:key:r, 10::key:r, 10:profile_chunk:key, 10:profile_chunk:project:r");
  CHECK(longest(all).retry_s == 12);
}

TEST_CASE("a reason cannot end its field, its header or its line") {
  rate_limit l{1, {}, config::quota_scope::key, "", ""};
  l.reason_code = "a:b,c;d\r\nSet-Cookie: x\x7f\xc3\xa9";
  CHECK(header_text({l}) == "1::key:a_b_c_d__Set-Cookie__x___");
}

TEST_CASE("the header is bounded, the longest waits stay") {
  rate_limits many;
  for (std::uint32_t i = 1; i <= 300; ++i)
    many.push_back({i, {"profile_chunk"}, config::quota_scope::project, "reason_" + std::to_string(i), ""});
  auto const text = header_text(many);
  CHECK(text.size() <= 4096);
  CHECK(text.size() > 3500);
  CHECK(text.starts_with("300:profile_chunk:project:reason_300, 299:"));
}

TEST_CASE("ended windows are dropped, and a full table keeps what it has") {
  std::uint64_t one = 0;
  {
    local_rate_counters probe;
    (void)probe.check(std::vector{counter("k0", 0, 10)}, 0, act::count);
    one = probe.stats().bytes;
    CHECK(one > 2);
  }
  local_rate_counters table(2 * one);
  auto const full = [&](quota_counter const& c, std::uint64_t now) -> bool {
    return table.check(std::vector{c}, now, act::count).at(0);
  };
  CHECK_FALSE(full(counter("k0", 0, 10), 0));
  CHECK_FALSE(full(counter("k1", 0, 20), 0));
  CHECK(table.stats().bytes == 2 * one);
  // No room: the third passes again and again, and that is told.
  CHECK_FALSE(full(counter("k2", 0, 20), 5));
  CHECK_FALSE(full(counter("k2", 0, 20), 5));
  CHECK(table.stats().uncounted == 2);
  CHECK(table.stats().counters == 2);
  CHECK(full(counter("k0", 0, 10), 5));
  // At 10 the first has ended and makes room.
  CHECK_FALSE(full(counter("k2", 0, 20), 10));
  CHECK(full(counter("k2", 0, 20), 10));
  CHECK(full(counter("k1", 0, 20), 10));
  CHECK(table.stats().counters == 2);
  CHECK(table.stats().uncounted == 2);
  // A new window takes the place of its predecessor.
  CHECK_FALSE(full(counter("k1", 2, 60), 40));
  CHECK(table.stats().counters == 2);
  CHECK(table.stats().bytes == 2 * one);
}

TEST_CASE("a late thread does not turn a window back, a clock that was set back does") {
  local_rate_counters table;
  auto const full = [&](std::uint64_t slot) -> bool {
    return table.check(std::vector{counter("k", slot, slot * 10 + 10)}, slot * 10, act::count).at(0);
  };
  CHECK_FALSE(full(100));
  CHECK(full(99));
  CHECK(full(100));
  CHECK_FALSE(full(50));
  CHECK(full(50));
}

TEST_CASE("threads share a limit exactly") {
  auto const scope =
      scope_of(with_quotas(R"({"id":"q","categories":["profile_chunk"],"limit":1000,"window":60})"));
  limiter_of const l;
  std::array<int, 4> passed{};
  {
    std::vector<std::jthread> threads;
    for (auto& n : passed) threads.emplace_back([&] { n = l.passing(scope, 400); });
  }
  CHECK(passed[0] + passed[1] + passed[2] + passed[3] == 1000);
}
