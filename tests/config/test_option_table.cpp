#include <catch2/catch.hpp>
#include <set>

#include "config/changes.hpp"
#include "config/option_table.hpp"
#include "support.hpp"

using namespace profile_relay::config;
using namespace config_test;

namespace {

struct row {
  std::string key;
  std::string initial;  ///< contract 3.8, 7, 8, 9, 13
  std::string given;    ///< as written in config.yml
  std::string shown;
  std::string refused;  ///< empty = every text is legal
};

// One row per option.
row const rows[] = {
    {"relay.mode", "static", "static", "static", "capture"},
    {"relay.host", "127.0.0.1", "\"::1\"", "\"::1\"", "localhost"},
    {"relay.port", "3000", "8080", "8080", "65536"},
    {"relay.internal_host", "null", "0.0.0.0", "0.0.0.0", "256.0.0.1"},
    {"relay.internal_port", "null", "3010", "3010", "-1"},
    {"processing.enabled", "true", "false", "false", "yes"},
    {"processing.kafka_config", "[]", "[{name: linger.ms, value: 007}]", "[{name: linger.ms, value: 007}]",
     "{linger.ms: 1}"},
    {"processing.secondary_kafka_configs", "{}", "{eu: [{name: acks, value: all}]}",
     "{eu: [{name: acks, value: all}]}", "[eu]"},
    {"processing.topics.profiles", "profiles", "profiles-eu", "profiles-eu", "[a]"},
    {"processing.topics.outcomes", "outcomes", "{name: out}", "out", "{config: eu}"},
    {"processing.kafka_validate_topics", "false", "true", "true", "1"},
    {"processing.max_rate_limit", "300", "60", "60", "0"},
    {"processing.raw_profile", "inline", "drop", "drop", "keep"},
    {"processing.profiles_key_id", "auto", "never", "never", "always"},
    {"processing.ack", "broker", "spool", "spool", "none"},
    {"processing.kafka_producers", "2", "1", "1", "0"},
    {"cache.file_interval", "10", "1", "1", "0"},
    {"spool.envelopes.path", "/etc/pr/spool", "/var/spool", "/var/spool", "[a]"},
    {"spool.envelopes.max_disk_size", "500MiB", "1 GB", "1000000000", "1KiB"},
    {"outcomes.emit_outcomes", "true", "false", "false", "maybe"},
    {"outcomes.emit_feature_disabled", "false", "true", "true", "2"},
    {"outcomes.source", "\"\"", "edge 1", "\"edge 1\"", "{a: b}"},
    {"health.refresh_interval_ms", "3000", "500", "500", "99"},
    {"health.probe_timeout_ms", "900", "10", "10", "0.5"},
    {"health.max_memory_percent", "0.95", "0.5", "0.5", "1.01"},
    {"health.max_memory_bytes", "null", "2GiB", "2GiB", "2Gi"},
    {"health.kafka_max_ack_age", "30", "5", "5", "5s"},
    {"logging.level", "info", "WARN", "warn", "verbose"},
    {"logging.format", "text", "json", "json", "xml"},
    {"http.trusted_proxies", "[]", "[10.0.0.0/8, \"::1\"]", "[10.0.0.0/8, \"::1\"]", "[10.0.0.0/33]"},
    {"limits.max_envelope_size", "200MiB", "1MiB", "1MiB", "5GiB"},
    {"limits.max_profile_size", "50MiB", "1000000", "1000000", "0"},
    {"limits.max_profile_chunk_count", "null", "1", "1", "0"},
    {"limits.keepalive_timeout", "5", "60", "60", "0"},
    {"limits.header_timeout", "5", "7", "7", "x"},
    {"limits.body_timeout", "10", "30", "30", "86401"},
    {"limits.min_body_rate", "1KiB", "0", "0", "1KiB/s"},
    {"limits.shutdown_timeout", "10", "0", "0", "-5"},
    {"limits.tcp_listen_backlog", "1024", "16", "16", "65536"},
    {"limits.max_connections", "null", "100", "100", "4294967296"},
    {"limits.max_thread_count", "0", "3", "3", "1025"},
    {"limits.max_inflight_bytes", "null", "1GiB", "1GiB", "1"},
    {"profiling.max_packet_size", "4MiB", "1MiB", "1MiB", "0"},
    {"profiling.max_packets", "110000", "5", "5", "0"},
    {"profiling.max_samples", "100000", "7", "7", "2147483648"},
    {"profiling.max_stack_depth", "1000", "9", "9", "0"},
    {"profiling.max_path_parts", "100", "11", "11", "0"},
    {"profiling.max_frames", "1000000", "13", "13", "0"},
    {"profiling.max_sequences", "4096", "15", "15", "0"},
    {"profiling.max_working_memory", "15MiB", "16MiB", "16MiB", "0"},
    {"profiling.max_result_memory", "40MiB", "17MiB", "17MiB", "0"},
    {"profiling.accept_chunk_data_pairs", "true", "false", "false", "no"},
    {"profiling.self_dsn", "\"\"", "http://key@host/1", "\"http://key@host/1\"", "[a]"},
};

std::string printed(settings const& s, std::string const& key) { return find_option(key)->print(s); }

}  // namespace

TEST_CASE("every option has a row in this test") {
  std::set<std::string> tested;
  for (auto const& r : rows) tested.insert(r.key);
  CHECK(tested.size() == std::size(rows));
  for (auto const& option : option_table()) CHECK(tested.count(option.key) == 1);
  CHECK(option_table().size() == tested.size());
}

TEST_CASE("an option has its default, takes a value from the file and refuses a wrong one by name") {
  for (auto const& r : rows) {
    INFO(r.key);
    auto const initial = load_text("");
    REQUIRE(initial);
    CHECK(printed(initial.value().values, r.key) == r.initial);

    auto const set = load_text(yaml_for(r.key, r.given));
    INFO(message(set));
    REQUIRE(set);
    CHECK(set.value().warnings.empty());
    CHECK(printed(set.value().values, r.key) == r.shown);

    auto const wrong = load_text(yaml_for(r.key, r.refused));
    REQUIRE(!wrong);
    auto const line = std::to_string(1 + std::count(r.key.begin(), r.key.end(), '.'));
    CHECK(wrong.error().key == r.key);
    CHECK(contains(message(wrong), "/etc/pr/config.yml:" + line + ": " + r.key + ": "));
  }
}

TEST_CASE("the command line sets every option and wins over the file and the environment") {
  for (auto const& r : rows) {
    INFO(r.key);
    // The same value without YAML's quotes: one value is taken as it stands.
    std::string given = r.given;
    if (!find_option(r.key)->structured) std::erase(given, '"');
    auto const set = load_text(yaml_for(r.key, "null"), {}, {{r.key, given}});
    INFO(message(set));
    REQUIRE(set);
    CHECK(printed(set.value().values, r.key) == r.shown);
  }
  auto const layered = load_text("relay: {port: 1}\nlogging: {level: debug}\noutcomes: {source: file}",
                                 {{"RELAY_PORT", "2"}, {"RELAY_LOG_LEVEL", "trace"}}, {{"relay.port", "3"}});
  REQUIRE(layered);
  CHECK(layered.value().values.relay.port == 3);
  CHECK(layered.value().values.logging.level == "trace");
  CHECK(layered.value().values.outcomes.source == "file");
}

TEST_CASE("each option's example is legal") {
  for (auto const& option : option_table()) {
    INFO(option.key);
    auto const secondary = "processing: {secondary_kafka_configs: {billing: []}}\n";
    auto const set = load_text(secondary, {}, {{option.key, option.example}});
    CHECK(message(set) == "(accepted)");
    CHECK_FALSE(option.description.empty());
  }
}

TEST_CASE("empty text clears an option that may be unset") {
  for (auto const* key : {"relay.internal_host", "limits.max_connections", "health.max_memory_bytes"}) {
    auto const set = load_text(
        yaml_for(key, std::string(key) == "relay.internal_host" ? "127.0.0.1" : "2000000"), {}, {{key, ""}});
    INFO(key << ": " << message(set));
    REQUIRE(set);
    CHECK(printed(set.value().values, key) == "null");
  }
}

TEST_CASE("only health reloads at run time") {
  for (auto const& option : option_table()) {
    INFO(option.key);
    CHECK(option.live == option.key.starts_with("health."));
  }
}

TEST_CASE("the spool lies in the configuration folder unless its path is absolute") {
  CHECK(load_text("").value().values.spool.path == "/etc/pr/spool");
  CHECK(load_text("spool: {envelopes: {path: data/q}}").value().values.spool.path == "/etc/pr/data/q");
  CHECK(load_text("spool: {envelopes: {path: /q}}").value().values.spool.path == "/q");
  auto const no_file = load("/etc/pr", std::nullopt, world());
  REQUIRE(no_file);
  CHECK(no_file.value().values.spool.path == "/etc/pr/spool");
  CHECK(no_file.value().values.config_dir == "/etc/pr");
  CHECK_FALSE(no_file.value().values.processing.has_broker());
}

TEST_CASE("Relay's words for logging and outcomes keep their meaning") {
  for (auto const* format : {"auto", "pretty", "simplified", "TEXT"})
    CHECK(load_text(yaml_for("logging.format", format)).value().values.logging.format == log_format::text);
  for (auto const* level : {"trace", "debug", "info", "warn", "error", "off"})
    CHECK(load_text(yaml_for("logging.level", level)).value().values.logging.level == level);
  CHECK(load_text("outcomes: {emit_outcomes: as_client_reports}").value().values.outcomes.emit_outcomes);
  CHECK(load_text("outcomes: {emit_outcomes: True}").value().values.outcomes.emit_outcomes);
}

TEST_CASE("Kafka properties keep their order and spelling") {
  auto const set = load_text(R"(
processing:
  kafka_config:
    - {name: bootstrap.servers, value: "10.0.0.1:9092"}
    - name: linger.ms
      value: 5
    - {name: enable.idempotence, value: true}
    - {name: message.max.bytes, value: 50_000}
    - {value: 1e3, name: x}
  secondary_kafka_configs:
    eu:
      - {name: bootstrap.servers, value: "10.0.0.2:9092"}
    none: []
  topics:
    profiles: {name: p, config: eu}
    outcomes: o
)");
  INFO(message(set));
  REQUIRE(set);
  auto const& p = set.value().values.processing;
  CHECK(p.kafka_config == kafka_properties{{"bootstrap.servers", "10.0.0.1:9092"},
                                           {"linger.ms", "5"},
                                           {"enable.idempotence", "true"},
                                           {"message.max.bytes", "50_000"},
                                           {"x", "1e3"}});
  REQUIRE(p.secondary_kafka_configs.size() == 2);
  CHECK(p.secondary_kafka_configs.at("eu") == kafka_properties{{"bootstrap.servers", "10.0.0.2:9092"}});
  CHECK(p.profiles.name == "p");
  CHECK(p.profiles.kafka_config == "eu");
  CHECK(p.outcomes.name == "o");
  CHECK(p.outcomes.kafka_config.empty());
  CHECK(p.has_broker());
}

TEST_CASE("what differs between two settings is told by key, and whether it takes effect at once") {
  auto const before = load_text("relay: {port: 1}\nhealth: {kafka_max_ack_age: 5}").value().values;
  auto const after = load_text("relay: {port: 2}\nhealth: {max_memory_percent: 0.5}").value().values;
  CHECK(changes(before, before).empty());
  auto const found = changes(before, after);
  REQUIRE(found.size() == 3);
  CHECK(found[0].key == "relay.port");
  CHECK(found[0].now == "2");
  CHECK_FALSE(found[0].live);
  CHECK(found[1].key == "health.max_memory_percent");
  CHECK(found[2].key == "health.kafka_max_ack_age");
  CHECK(found[2].now == "30");
  CHECK(found[2].live);
}
