#include <catch2/catch.hpp>

#include "config/project.hpp"
#include "support.hpp"

using namespace profile_relay::config;
using namespace config_test;

namespace {

parsed_project with_quota(std::string const& quota) {
  auto parsed = parse_project("1.json",
                              R"({"organizationId": 1, "publicKeys": [{"publicKey":
 "a94ae32be2584e0bbd7a4cbb95971fee"}], "config": {"quotas": [)" +
                                  quota + "]}}");
  INFO(message(parsed));
  REQUIRE(parsed);
  return parsed.value();
}

}  // namespace

TEST_CASE("valid quotas keep what they say") {
  auto const full = with_quota(
      R"({"id": "q", "categories": ["profile_chunk", "profile_chunk_ui"], "scope": "project", "scopeId": "42",
          "limit": 100, "window": 60, "reasonCode": "chunk_quota"})");
  CHECK(full.warnings.empty());
  REQUIRE(full.value.quotas.size() == 1);
  auto const& q = full.value.quotas[0];
  CHECK(q.id == "q");
  CHECK(q.categories == std::vector<std::string>{"profile_chunk", "profile_chunk_ui"});
  CHECK(q.scope == quota_scope::project);
  CHECK(q.scope_id == 42);
  CHECK(q.limit == 100);
  CHECK(q.window == 60);
  CHECK(q.reason_code == "chunk_quota");

  struct row {
    std::string rule;
    std::string text;
    std::function<bool(quota const&)> holds;
  };
  row const rows[] = {
      {"limit 0 needs neither id nor window nor categories", R"({"limit": 0})",
       [](auto const& x) {
         return x.limit == 0 && x.id.empty() && !x.window && x.categories.empty() &&
                x.scope == quota_scope::organization && !x.scope_id && x.reason_code.empty();
       }},
      {"limit 0 may mix units", R"({"limit": 0, "categories": ["profile_chunk", "profile_duration"]})",
       [](auto const& x) { return x.categories.size() == 2; }},
      {"limit null counts only",
       R"({"id": "a", "limit": null, "window": 5, "categories": ["profile_chunk"]})",
       [](auto const& x) { return !x.limit && x.window == 5; }},
      {"limit missing counts only", R"({"id": "a", "window": 5, "categories": ["profile_chunk"]})",
       [](auto const& x) { return !x.limit; }},
      {"scope organization", R"({"limit": 0, "scope": "organization"})",
       [](auto const& x) { return x.scope == quota_scope::organization; }},
      {"scope key", R"({"limit": 0, "scope": "key"})",
       [](auto const& x) { return x.scope == quota_scope::key; }},
      {"unknown scope", R"({"limit": 0, "scope": "galaxy"})",
       [](auto const& x) { return x.scope == quota_scope::most_specific; }},
      {"scopeId as a number", R"({"limit": 0, "scopeId": 7})", [](auto const& x) { return x.scope_id == 7; }},
      {"scopeId null", R"({"limit": 0, "scopeId": null})", [](auto const& x) { return !x.scope_id; }},
      {"empty categories mean all", R"({"limit": 0, "categories": []})",
       [](auto const& x) { return x.categories.empty(); }},
      {"unknown categories among known ones are left out",
       R"({"limit": 0, "categories": ["galaxy", "profile_chunk"]})",
       [](auto const& x) { return x.categories == std::vector<std::string>{"profile_chunk"}; }},
      {"unknown keys", R"({"limit": 0, "namespace": "custom"})", [](auto const& x) { return x.limit == 0; }},
  };
  for (auto const& r : rows) {
    INFO(r.rule);
    auto const parsed = with_quota(r.text);
    CHECK(parsed.warnings == std::vector<std::string>{});
    REQUIRE(parsed.value.quotas.size() == 1);
    CHECK(r.holds(parsed.value.quotas[0]));
  }
}

TEST_CASE("an invalid quota is dropped with the rule it breaks") {
  struct row {
    std::string text;
    std::string rule;
  };
  row const rows[] = {
      {R"(5)", "expected an object, found a number"},
      {R"({"limit": 5, "window": 60, "categories": ["profile_chunk"]})", "id is required unless limit is 0"},
      {R"({"window": 60, "categories": ["profile_chunk"]})", "id is required unless limit is 0"},
      {R"({"id": "a", "limit": 5, "categories": ["profile_chunk"]})", "window is required unless limit is 0"},
      {R"({"id": "a", "limit": null, "categories": ["profile_chunk"]})",
       "window is required unless limit is 0"},
      {R"({"id": "a", "limit": 5, "window": 0, "categories": ["profile_chunk"]})",
       "window must be at least 1 second"},
      {R"({"id": "a", "limit": 5, "window": 60})", "a counted quota must name its categories"},
      {R"({"id": "a", "limit": 5, "window": 60, "categories": ["profile_chunk", "attachment"]})",
       "a counted quota must name categories of one unit, but profile_chunk and attachment differ"},
      {R"({"limit": 0, "categories": ["galaxy"]})", "categories names only unknown categories"},
      {R"({"limit": 0, "categories": "profile_chunk"})", "categories must be a list of names"},
      {R"({"limit": 0, "categories": [26]})", "categories must be a list of names"},
      {R"({"limit": 0, "scopeId": "me"})", "scopeId is not a number, so the quota would match nothing"},
      {R"({"limit": 0, "scopeId": [1]})", "scopeId is not a number, so the quota would match nothing"},
      {R"({"limit": 0, "scope": 5})", "scope must be text"},
      {R"({"id": 5, "limit": 0})", "id must be text"},
      {R"({"limit": -1})", "limit must be a whole number of at least 0"},
      {R"({"limit": "0"})", "limit must be a whole number of at least 0"},
      {R"({"id": "a", "limit": 1, "window": 1.5})", "window must be a whole number of at least 0"},
      {R"({"limit": 0, "reasonCode": 1})", "reasonCode must be text"},
  };
  for (auto const& r : rows) {
    INFO(r.text);
    auto const parsed = with_quota("{\"limit\": 0},\n" + r.text);
    CHECK(parsed.value.quotas.size() == 1);
    REQUIRE(parsed.warnings.size() == 1);
    CHECK(parsed.warnings[0] == "1.json:3: config.quotas[1] is dropped: " + r.rule);
  }
}
