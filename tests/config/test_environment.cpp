#include <catch2/catch.hpp>
#include <set>

#include "config/environment_table.hpp"
#include "config/option_table.hpp"
#include "support.hpp"

using namespace profile_relay::config;
using namespace config_test;

namespace {

struct row {
  std::string name;
  std::string text;
  std::string key;      ///< option to look at; empty = the variable changes nothing
  std::string shown;    ///< its value then
  std::string refused;  ///< a text that is an error; empty = none
};

// One row per variable of contract 9.
row const rows[] = {
    {"RELAY_MODE", "static", "relay.mode", "static", "managed"},
    {"RELAY_HOST", "0.0.0.0", "relay.host", "0.0.0.0", "everywhere"},
    {"RELAY_PORT", "4000", "relay.port", "4000", "70000"},
    {"RELAY_PROCESSING_ENABLED", "0", "processing.enabled", "false", "yes"},
    {"RELAY_KAFKA_BROKER_URL", "kafka:9092", "processing.kafka_config",
     "[{name: bootstrap.servers, value: \"kafka:9092\"}]", ""},
    {"SHUTDOWN_TIMEOUT", "3", "limits.shutdown_timeout", "3", "3s"},
    {"RELAY_SOURCE_ID", "edge-7", "outcomes.source", "edge-7", ""},
    {"RELAY_LOG_LEVEL", "DEBUG", "logging.level", "debug", "loud"},
    {"RELAY_LOG_FORMAT", "json", "logging.format", "json", "binary"},
    {"RELAY_REDIS_URL", "redis://r", "", "", ""},
    {"RELAY_UPSTREAM_URL", "https://u", "", "", ""},
    {"RELAY_UPSTREAM_DSN", "https://u", "", "", ""},
    {"RELAY_ID", "x", "", "", ""},
    {"RELAY_PUBLIC_KEY", "x", "", "", ""},
    {"RELAY_SECRET_KEY", "x", "", "", ""},
};

}  // namespace

TEST_CASE("every variable has a row in this test") {
  std::set<std::string_view> tested;
  for (auto const& r : rows) tested.insert(r.name);
  for (auto const& variable : variable_table()) CHECK(tested.count(variable.name) == 1);
  CHECK(tested.size() == variable_table().size());
}

TEST_CASE("a variable sets its option, or is named in a warning") {
  auto const untouched = show(load_text("").value().values);
  for (auto const& r : rows) {
    INFO(r.name);
    auto const loaded = load_text("", {{r.name, r.text}});
    INFO(message(loaded));
    REQUIRE(loaded);
    if (r.key.empty()) {
      REQUIRE(loaded.value().warnings.size() == 1);
      CHECK(contains(loaded.value().warnings[0], r.name));
      CHECK_FALSE(contains(loaded.value().warnings[0], r.text + "/"));
      CHECK(show(loaded.value().values) == untouched);
    } else {
      CHECK(loaded.value().warnings.empty());
      CHECK(find_option(r.key)->print(loaded.value().values) == r.shown);
    }
  }
}

TEST_CASE("a wrong variable is an error that names it and what is allowed") {
  for (auto const& r : rows) {
    if (r.refused.empty()) continue;
    auto const loaded = load_text("", {{r.name, r.refused}});
    INFO(r.name);
    REQUIRE(!loaded);
    CHECK(loaded.error().key == r.name);
    CHECK(message(loaded).starts_with(r.name + ": "));
    CHECK(contains(message(loaded), r.key));
  }
  CHECK(message(load_text("", {{"RELAY_PORT", "70000"}})) ==
        "RELAY_PORT: 70000 is out of range; allowed: 0 to 65535 (sets relay.port)");
}

TEST_CASE("RELAY_PROCESSING_ENABLED takes four words and nothing else") {
  for (auto const& [text, enabled] : std::map<std::string, bool>{
           {"true", true}, {"1", true}, {"TRUE", true}, {"false", false}, {"0", false}, {"", false}}) {
    INFO("'" << text << "'");
    auto const loaded =
        load_text(enabled ? "processing: {enabled: false}" : "", {{"RELAY_PROCESSING_ENABLED", text}});
    REQUIRE(loaded);
    CHECK(loaded.value().values.processing.enabled == enabled);
  }
  for (auto const* text : {"yes", "on", "2", " true", "t"})
    CHECK_FALSE(load_text("", {{"RELAY_PROCESSING_ENABLED", text}}));
}

TEST_CASE("RELAY_KAFKA_BROKER_URL adds or replaces bootstrap.servers and keeps the rest") {
  auto const loaded = load_text(
      "processing: {kafka_config: [{name: metadata.broker.list, value: a}, {name: acks, value: all}, "
      "{name: bootstrap.servers, value: b}]}",
      {{"RELAY_KAFKA_BROKER_URL", "c:1,d:2"}});
  REQUIRE(loaded);
  CHECK(loaded.value().values.processing.kafka_config ==
        kafka_properties{{"acks", "all"}, {"bootstrap.servers", "c:1,d:2"}});
}

TEST_CASE("an empty variable counts as absent") {
  for (auto const& r : rows) {
    if (r.name == "RELAY_PROCESSING_ENABLED") continue;
    auto const loaded = load_text("", {{r.name, ""}});
    INFO(r.name << ": " << message(loaded));
    REQUIRE(loaded);
    CHECK(loaded.value().warnings.empty());
    CHECK(show(loaded.value().values) == show(load_text("").value().values));
  }
}

TEST_CASE("the ignored variables share one warning line, which shows no value") {
  auto const loaded =
      load_text("", {{"RELAY_ID", "a"}, {"RELAY_SECRET_KEY", "s3cret"}, {"RELAY_REDIS_URL", "redis://r"}});
  REQUIRE(loaded);
  CHECK(loaded.value().warnings ==
        std::vector<std::string>{"environment variables of Relay without effect here: RELAY_REDIS_URL (rate "
                                 "limit counters are kept per instance), RELAY_ID, RELAY_SECRET_KEY"});
}
