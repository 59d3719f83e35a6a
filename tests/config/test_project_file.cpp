#include <catch2/catch.hpp>

#include "config/project.hpp"
#include "support.hpp"

using namespace profile_relay::config;
using namespace config_test;

namespace {

std::string const key = "a94ae32be2584e0bbd7a4cbb95971fee";
std::string const with_key = "\"organizationId\": 1, \"publicKeys\": [{\"publicKey\": \"" + key + "\"}]";

/// A file that is right but for `config`.
std::string with_config(std::string const& config) {
  return "{" + with_key + ", \"config\": " + config + "}";
}

}  // namespace

TEST_CASE("the example of the contract") {
  auto const parsed = parse_project("42.json", R"({
 "publicKeys": [{"publicKey": "a94ae32be2584e0bbd7a4cbb95971fee", "numericId": 1054, "isEnabled": true}],
 "organizationId": 1, "slug": "shop", "disabled": false,
 "config": {"allowedDomains": ["*"], "eventRetention": 90,
            "features": ["organizations:continuous-profiling", "organizations:continuous-profiling-perfetto"],
            "quotas": []}})");
  INFO(message(parsed));
  REQUIRE(parsed);
  CHECK(parsed.value().warnings.empty());
  auto const& p = parsed.value().value;
  CHECK(p.id == 42);
  CHECK(p.organization_id == 1);
  CHECK(p.slug == "shop");
  CHECK_FALSE(p.disabled);
  REQUIRE(p.keys.size() == 1);
  CHECK(p.keys[0].key == key);
  CHECK(p.keys[0].numeric_id == 1054);
  CHECK(p.keys[0].enabled);
  CHECK(p.allowed_domains == std::vector<std::string>{"*"});
  CHECK(p.retention_days == 90);
  CHECK(p.continuous_profiling);
  CHECK(p.continuous_profiling_perfetto);
  CHECK(p.quotas.empty());
}

// One row per rule of contract 10: what is accepted, what it becomes, what is said about it.
TEST_CASE("accepted project files") {
  struct row {
    std::string rule;
    std::string file;
    std::string text;
    std::function<bool(project const&)> holds;
    std::string warning = "";  ///< empty = none at all
  };
  row const rows[] = {
      {"the file name gives the id", "7.json", "{" + with_key + "}", [](auto const& p) { return p.id == 7; }},
      {"a path before the name", "/x/projects/7.json", "{" + with_key + "}",
       [](auto const& p) { return p.id == 7; }},
      {"projectId wins over the name", "7.json", "{" + with_key + ", \"projectId\": 8}",
       [](auto const& p) { return p.id == 8; },
       "7.json:1: projectId 8 differs from the file's name and wins"},
      {"the largest id", "18446744073709551615.json", "{" + with_key + "}",
       [](auto const& p) { return p.id == ~0ull; }},
      {"several keys", "1.json",
       "{\"organizationId\": 1, \"publicKeys\": [{\"publicKey\": \"" + key +
           "\"}, {\"publicKey\": \"00000000000000000000000000000001\", \"numericId\": null, \"isEnabled\": "
           "false}]}",
       [](auto const& p) {
         return p.keys.size() == 2 && p.keys[0].enabled && !p.keys[1].enabled && !p.keys[0].numeric_id &&
                !p.keys[1].numeric_id;
       }},
      {"uppercase key", "1.json",
       "{\"organizationId\": 1, \"publicKeys\": [{\"publicKey\": \"A94AE32BE2584E0BBD7A4CBB95971FEE\"}]}",
       [](auto const& p) { return p.keys.size() == 1 && p.keys[0].key == key; }},
      {"a key that is not 32 hex digits is skipped", "1.json",
       "{\"organizationId\": 1, \"publicKeys\": [\n{\"publicKey\": \"xyz\"}, {\"publicKey\": \"" + key +
           "\"}]}",
       [](auto const& p) { return p.keys.size() == 1 && p.keys[0].key == key; },
       "1.json:2: publicKeys[0].publicKey is skipped: not 32 hexadecimal digits"},
      {"a key twice in the file", "1.json",
       "{\"organizationId\": 1, \"publicKeys\": [{\"publicKey\": \"" + key +
           "\", \"numericId\": 1}, {\"publicKey\": \"" + key + "\", \"numericId\": 2}]}",
       [](auto const& p) { return p.keys.size() == 1 && p.keys[0].numeric_id == 1; },
       "1.json:1: publicKeys[1].publicKey is skipped: it stands in this file already"},
      {"no key", "1.json", "{\"organizationId\": 1, \"publicKeys\": []}",
       [](auto const& p) { return p.keys.empty(); },
       "1.json: publicKeys names no usable key: nobody can reach this project"},
      {"organizationId missing", "1.json", "{\"publicKeys\": [{\"publicKey\": \"" + key + "\"}]}",
       [](auto const& p) { return p.organization_id == 0; },
       "1.json: organizationId is missing or 0: Sentry's consumers need it to store profiles"},
      {"disabled", "1.json", "{" + with_key + ", \"disabled\": true}",
       [](auto const& p) { return p.disabled; }},
      {"slug null", "1.json", "{" + with_key + ", \"slug\": null}",
       [](auto const& p) { return p.slug.empty(); }},
      {"other keys are ignored", "1.json",
       "{" + with_key + ", \"rev\": \"x\", \"config\": {\"piiConfig\": {}}}",
       [](auto const& p) { return p.id == 1; }},
      {"allowedDomains default", "1.json", with_config("{}"),
       [](auto const& p) { return p.allowed_domains == std::vector<std::string>{"*"}; }},
      {"allowedDomains null", "1.json", with_config("{\"allowedDomains\": null}"),
       [](auto const& p) { return p.allowed_domains == std::vector<std::string>{"*"}; }},
      {"allowedDomains empty", "1.json", with_config("{\"allowedDomains\": []}"),
       [](auto const& p) { return p.allowed_domains.empty(); }},
      {"allowedDomains patterns", "1.json",
       with_config("{\"allowedDomains\": [\"*.A.example\", \"https://b:8\"]}"),
       [](auto const& p) {
         return p.allowed_domains == std::vector<std::string>{"*.A.example", "https://b:8"};
       }},
      {"eventRetention default", "1.json", with_config("{}"),
       [](auto const& p) { return p.retention_days == 90; }},
      {"eventRetention", "1.json", with_config("{\"eventRetention\": 30}"),
       [](auto const& p) { return p.retention_days == 30; }},
      {"eventRetention null", "1.json", with_config("{\"eventRetention\": null}"),
       [](auto const& p) { return p.retention_days == 90; }},
      {"no features", "1.json", with_config("{\"features\": []}"),
       [](auto const& p) { return !p.continuous_profiling && !p.continuous_profiling_perfetto; }},
      {"one flag", "1.json", with_config("{\"features\": [\"organizations:continuous-profiling\"]}"),
       [](auto const& p) { return p.continuous_profiling && !p.continuous_profiling_perfetto; }},
      {"the other flag and unknown ones", "1.json",
       with_config("{\"features\": [\"organizations:x\", \"organizations:continuous-profiling-perfetto\"]}"),
       [](auto const& p) { return !p.continuous_profiling && p.continuous_profiling_perfetto; }},
      {"an invalid quota is dropped", "1.json", with_config("{\"quotas\": [{\"limit\": 5}, {\"limit\": 0}]}"),
       [](auto const& p) { return p.quotas.size() == 1 && p.quotas[0].limit == 0; },
       "1.json:1: config.quotas[0] is dropped: id is required unless limit is 0"},
      {"blocked addresses", "1.json",
       with_config(
           "{\"filterSettings\": {\"clientIps\": {\"blacklistedIps\": [\"192.0.2.7\", \"10.0.0.0/8\"]}}}"),
       [](auto const& p) {
         return p.blocked_ips.size() == 2 && p.blocked_ips.contains("192.0.2.7") &&
                p.blocked_ips.contains("10.1.2.3");
       }},
      {"a blocked address that is none", "1.json",
       with_config("{\"filterSettings\": {\"clientIps\": {\"blacklistedIps\": [\"home\", \"::1\"]}}}"),
       [](auto const& p) { return p.blocked_ips.size() == 1 && p.blocked_ips.contains("::1"); },
       "1.json:1: config.filterSettings.clientIps.blacklistedIps: 'home' is skipped: not an IP address or "
       "range"},
      {"release filters", "1.json",
       with_config("{\"filterSettings\": {\"releases\": {\"releases\": [\"1.*\"]}}}"),
       [](auto const& p) { return p.blocked_ips.size() == 0; },
       "1.json:1: config.filterSettings.releases has no effect: such filters are not built yet"},
      {"generic filters", "1.json",
       with_config("{\"filterSettings\": {\"generic\": {\"version\": 1, \"filters\": []}}}"),
       [](auto const&) { return true; },
       "1.json:1: config.filterSettings.generic has no effect: such filters are not built yet"},
      {"other filters are ignored", "1.json",
       with_config("{\"filterSettings\": {\"webCrawlers\": {\"isEnabled\": true}}}"),
       [](auto const&) { return true; }},
  };
  for (auto const& r : rows) {
    auto const parsed = parse_project(r.file, r.text);
    INFO(r.rule << ": " << message(parsed));
    REQUIRE(parsed);
    CHECK(r.holds(parsed.value().value));
    if (r.warning.empty()) {
      CHECK(parsed.value().warnings == std::vector<std::string>{});
    } else {
      REQUIRE(parsed.value().warnings.size() == 1);
      CHECK(parsed.value().warnings[0] == r.warning);
    }
  }
}

TEST_CASE("broken project files name file, line and key") {
  struct row {
    std::string text;
    errc code;
    std::string message;
  };
  row const rows[] = {
      {"", errc::syntax, "1.json:1: column 1: not valid JSON: syntax error"},
      {"{\n\"organizationId\": 1,,\n}", errc::syntax, "1.json:2: column 21: not valid JSON: syntax error"},
      {"[]", errc::wrong_type, "1.json:1: a project file holds one JSON object, found a list"},
      {"{\"projectId\": \"x\"}", errc::wrong_type, "1.json:1: projectId: expected a number, found text"},
      {"{\n\n\"organizationId\": -1}", errc::out_of_range,
       "1.json:3: organizationId: -1 is out of range; allowed: 0 to "},
      {"{\"organizationId\": 18446744073709551616}", errc::out_of_range,
       "1.json:1: organizationId: 18446744073709551616"},
      {"{\"organizationId\": 1.5}", errc::wrong_type, "1.json:1: organizationId: 1.5 is not a whole number"},
      {"{\"slug\": 5}", errc::wrong_type, "1.json:1: slug: expected text, found a number"},
      {"{\"disabled\": \"true\"}", errc::wrong_type, "1.json:1: disabled: expected a boolean, found text"},
      {"{\"publicKeys\": {}}", errc::wrong_type,
       "1.json:1: publicKeys: expected a list, found a map of keys"},
      {"{\"publicKeys\": [\n5]}", errc::wrong_type,
       "1.json:2: publicKeys[0]: expected an object with publicKey"},
      {"{\"publicKeys\": [{\"numericId\": 1}]}", errc::missing_value,
       "1.json:1: publicKeys[0].publicKey: is required: 32 hexadecimal digits"},
      {"{\"publicKeys\": [{\"publicKey\": 5}]}", errc::wrong_type,
       "1.json:1: publicKeys[0].publicKey: expected text, found a number"},
      {"{\"publicKeys\": [{\"publicKey\": \"x\",\n\"numericId\": \"9\"}]}", errc::wrong_type,
       "1.json:2: publicKeys[0].numericId: expected a number, found text"},
      {"{\"publicKeys\": [{\"publicKey\": \"x\", \"isEnabled\": 1}]}", errc::wrong_type,
       "1.json:1: publicKeys[0].isEnabled: expected a boolean, found a number"},
      {"{\"config\": []}", errc::wrong_type, "1.json:1: config: expected a map of keys, found a list"},
      {"{\"config\": {\"allowedDomains\": \"*\"}}", errc::wrong_type,
       "1.json:1: config.allowedDomains: expected a list, found text"},
      {"{\"config\": {\"allowedDomains\": [1]}}", errc::wrong_type,
       "1.json:1: config.allowedDomains: expected a list of texts, found a number"},
      {"{\"config\": {\"eventRetention\": 65536}}", errc::out_of_range,
       "1.json:1: config.eventRetention: 65536 is out of range; allowed: 0 to 65535"},
      {"{\"config\": {\"features\": {}}}", errc::wrong_type, "1.json:1: config.features: expected a list"},
      {"{\"config\": {\"quotas\": 5}}", errc::wrong_type,
       "1.json:1: config.quotas: expected a list, found a number"},
      {"{\"config\": {\"filterSettings\": []}}", errc::wrong_type,
       "1.json:1: config.filterSettings: expected a map"},
      {"{\"config\": {\"filterSettings\": {\"clientIps\": {\"blacklistedIps\": \"x\"}}}}", errc::wrong_type,
       "1.json:1: config.filterSettings.clientIps.blacklistedIps: expected a list, found text"},
  };
  for (auto const& r : rows) {
    auto const parsed = parse_project("1.json", r.text);
    INFO(r.text << " -> " << message(parsed));
    REQUIRE(!parsed);
    CHECK(parsed.error().code == r.code);
    CHECK(message(parsed).starts_with(r.message));
  }
}

TEST_CASE("a name that is no number is not a project file, whatever it holds") {
  for (auto const* name : {"shop.json", "42.yml", "42", ".json", "-1.json", "42a.json",
                           "18446744073709551616.json", "1/2x.json"}) {
    auto const parsed = parse_project(name, "{" + with_key + ", \"projectId\": 42}");
    INFO(name);
    REQUIRE(!parsed);
    CHECK(parsed.error().code == errc::not_a_project_file);
    CHECK(contains(message(parsed), name));
  }
}

TEST_CASE("a hostile project file is refused without recursion") {
  CHECK_FALSE(parse_project("1.json", std::string(3'000'000, '[')));
  auto const deep = "{\"config\": {\"x\": " + std::string(62, '[') + std::string(62, ']') + "}}";
  CHECK(parse_project("1.json", deep));
  auto const deeper = "{\"config\": {\"x\": " + std::string(63, '[') + std::string(63, ']') + "}}";
  CHECK(contains(message(parse_project("1.json", deeper)), "nested deeper than 64 levels"));
}
