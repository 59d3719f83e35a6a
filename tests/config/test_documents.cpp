#include <catch2/catch.hpp>
#include <fstream>
#include <regex>
#include <sstream>

#include "config/option_table.hpp"
#include "config/project.hpp"
#include "support.hpp"

using namespace profile_relay::config;
using namespace config_test;

namespace {

/// Removes the "# " in front of every key, as a person would; the lines with "##" stay comments.
std::string uncommented(std::string const& text) {
  std::istringstream lines(text);
  std::string out;
  for (std::string line; std::getline(lines, line);)
    out += std::regex_replace(line, std::regex("^( *)# (?=[a-z_]+: )"), "$1") + "\n";
  return out;
}

}  // namespace

TEST_CASE("the text of config init changes nothing as it is") {
  auto const loaded = load_text(default_config_text());
  INFO(message(loaded));
  REQUIRE(loaded);
  CHECK(loaded.value().warnings.empty());
  CHECK(show(loaded.value().values) == show(load_text("").value().values));
}

TEST_CASE("the text of config init, uncommented, gives every option its default") {
  auto const text = uncommented(default_config_text());
  for (auto const& option : option_table()) {
    INFO(option.key);
    auto const leaf = option.key.substr(option.key.rfind('.') + 1);
    CHECK(std::regex_search(text, std::regex("(^|\n) +" + leaf + ": ")));
  }
  auto const loaded = load_text(text);
  INFO(message(loaded));
  REQUIRE(loaded);
  CHECK(loaded.value().warnings.empty());
  CHECK(show(loaded.value().values) == show(load_text("").value().values));
}

TEST_CASE("what config show prints loads to the same settings") {
  auto const first = load_text(R"(
relay: {host: "::1", port: 1, internal_host: 127.0.0.1, internal_port: 2}
processing:
  kafka_config: [{name: bootstrap.servers, value: "k:9092"}, {name: odd, value: "a\"b\\c\n#x: [~]"}]
  secondary_kafka_configs: {"e u": [{name: acks, value: "all"}]}
  topics: {profiles: {name: p, config: "e u"}}
spool: {envelopes: {path: "a b"}}
outcomes: {source: "null"}
http: {trusted_proxies: [10.0.0.0/8, "fd00::/8"]}
limits: {max_profile_size: 1000001, max_connections: 7}
)");
  INFO(message(first));
  REQUIRE(first);
  auto const shown = show(first.value().values);
  auto const second = load_text(shown);
  INFO(shown << message(second));
  REQUIRE(second);
  CHECK(second.value().warnings.empty());
  CHECK(show(second.value().values) == shown);
  CHECK(second.value().values.outcomes.source == "null");
  CHECK(second.value().values.processing.kafka_config == first.value().values.processing.kafka_config);
}

TEST_CASE("config show never prints a secret") {
  auto const loaded = load_text(R"(
processing:
  kafka_config:
    - {name: sasl.username, value: visible-user}
    - {name: sasl.password, value: hunter2}
    - {name: ssl.key.password, value: hunter2}
    - {name: ssl.keystore.password, value: hunter2}
    - {name: ssl.key.pem, value: hunter2}
    - {name: sasl.oauthbearer.client.secret, value: hunter2}
    - {name: sasl.oauthbearer.config, value: hunter2}
  secondary_kafka_configs:
    eu: [{name: sasl.password, value: hunter2}]
)");
  REQUIRE(loaded);
  auto const shown = show(loaded.value().values);
  CHECK_FALSE(contains(shown, "hunter2"));
  CHECK(contains(shown, "visible-user"));
  CHECK(contains(shown, "{name: sasl.password, value: \"[redacted]\"}"));
}

TEST_CASE("docs/configuration.md is what the option table says") {
  std::ifstream file(DOCS_DIR "/configuration.md");
  REQUIRE(file.good());
  std::stringstream text;
  text << file.rdbuf();
  INFO("regenerate with: profile-relay config docs > docs/configuration.md");
  CHECK(text.str() == options_markdown());
}

TEST_CASE("the document names every option, and its tables keep their columns") {
  auto const text = options_markdown();
  for (auto const& option : option_table()) {
    INFO(option.key);
    CHECK(contains(text, "| `" + option.key + "` | "));
  }
  std::istringstream lines(text);
  std::size_t columns = 0;
  for (std::string line; std::getline(lines, line);) {
    auto const bars = std::count(line.begin(), line.end(), '|');
    if (!line.starts_with("|")) {
      columns = 0;
    } else if (columns == 0) {
      columns = static_cast<std::size_t>(bars);
    } else {
      INFO(line);
      CHECK(static_cast<std::size_t>(bars) == columns);
    }
  }
}

TEST_CASE("the demo project is valid and has both flags on") {
  auto const parsed = parse_project("1.json", demo_project_text("0123456789abcdef0123456789abcdef"));
  INFO(message(parsed));
  REQUIRE(parsed);
  CHECK(parsed.value().warnings.empty());
  CHECK(parsed.value().value.id == 1);
  CHECK(parsed.value().value.continuous_profiling);
  CHECK(parsed.value().value.continuous_profiling_perfetto);
  REQUIRE(parsed.value().value.keys.size() == 1);
  CHECK(parsed.value().value.keys[0].key == "0123456789abcdef0123456789abcdef");
  CHECK(parsed.value().value.keys[0].enabled);
}
