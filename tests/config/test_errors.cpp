#include <catch2/catch.hpp>

#include "config/option_table.hpp"
#include "support.hpp"

using namespace profile_relay::config;
using namespace config_test;

namespace {

struct row {
  std::string what;
  std::string text;
  errc code;
  std::string message;  ///< the whole line that the operator reads
};

row const rows[] = {
    {"not YAML", "relay:\n  host: [1, 2", errc::syntax,
     "/etc/pr/config.yml:2: not valid YAML: end of sequence flow not found"},
    {"a tab as indentation", "relay:\n\thost: 1.2.3.4", errc::syntax,
     "/etc/pr/config.yml:2: not valid YAML: illegal map value"},
    {"not a map", "- relay", errc::wrong_type,
     "/etc/pr/config.yml:1: expected a map of sections, found a list"},
    {"two documents", "relay:\n---\nrelay:\n", errc::syntax,
     "/etc/pr/config.yml:2: only one YAML document is read, another starts here"},
    {"a key twice", "relay:\n  port: 1\n  host: ::1\n  port: 2\n", errc::syntax,
     "/etc/pr/config.yml:4: the key 'port' is given twice, first in line 2"},
    {"a section that is a value", "limits: 5", errc::wrong_type,
     "/etc/pr/config.yml:1: limits: this is a section: expected a map of keys, found a single value"},
    {"a value that is a section", "relay:\n  port:\n    a: 1", errc::wrong_type,
     "/etc/pr/config.yml:2: relay.port: expected a single value, found a map of keys"},
    {"not a number", "relay:\n\n  port: http", errc::wrong_type,
     "/etc/pr/config.yml:3: relay.port: 'http' is not a whole number; allowed: 0 to 65535"},
    {"too large a number", "relay: {port: 99999999999999999999}", errc::out_of_range,
     "/etc/pr/config.yml:1: relay.port: 99999999999999999999 is out of range; allowed: 0 to 65535"},
    {"not a size", "limits: {max_profile_size: 50mb}", errc::wrong_type,
     "/etc/pr/config.yml:1: limits.max_profile_size: '50mb' is not a size; allowed: 1 to 4294967295, in "
     "bytes or "
     "with KB, MB, GB, KiB, MiB, GiB"},
    {"not a boolean", "processing: {enabled: 1}", errc::wrong_type,
     "/etc/pr/config.yml:1: processing.enabled: '1' is not a boolean; allowed: true, false"},
    {"not a fraction", "health: {max_memory_percent: 95%}", errc::wrong_type,
     "/etc/pr/config.yml:1: health.max_memory_percent: '95%' is not a number; allowed: 0 to 1"},
    {"a percentage", "health: {max_memory_percent: 95}", errc::out_of_range,
     "/etc/pr/config.yml:1: health.max_memory_percent: 95 is out of range; allowed: 0 to 1"},
    {"not one of the words", "logging: {level: chatty}", errc::not_allowed,
     "/etc/pr/config.yml:1: logging.level: 'chatty' is not one of: trace, debug, info, warn, error, off"},
    {"mode managed", "relay: {mode: managed}", errc::not_allowed,
     "/etc/pr/config.yml:1: relay.mode: 'managed' is not served: nothing is fetched from or forwarded to an "
     "upstream, projects come from files; allowed: static"},
    {"mode proxy", "relay: {mode: proxy}", errc::not_allowed,
     "/etc/pr/config.yml:1: relay.mode: 'proxy' is not served: nothing is fetched from or forwarded to an "
     "upstream, "
     "projects come from files; allowed: static"},
    {"another mode", "relay: {mode: capture}", errc::not_allowed,
     "/etc/pr/config.yml:1: relay.mode: 'capture' is not one of: static"},
    {"object store", "processing: {raw_profile: objectstore}", errc::not_allowed,
     "/etc/pr/config.yml:1: processing.raw_profile: 'objectstore' is not built yet; allowed: inline, drop"},
    {"a property without a value", "processing:\n  kafka_config:\n    - name: acks\n", errc::missing_value,
     "/etc/pr/config.yml:2: processing.kafka_config: entry 1 has no 'value'"},
    {"a property without a name", "processing: {kafka_config: [{value: 1}]}", errc::missing_value,
     "/etc/pr/config.yml:1: processing.kafka_config: entry 1 has no 'name'"},
    {"a property with another key", "processing: {kafka_config: [{name: a, value: b}, {name: a, vaule: b}]}",
     errc::not_allowed,
     "/etc/pr/config.yml:1: processing.kafka_config: entry 2 has the key 'vaule'; allowed: name, value"},
    {"a property that is a list", "processing: {kafka_config: [{name: a, value: [b]}]}", errc::wrong_type,
     "/etc/pr/config.yml:1: processing.kafka_config: entry 1, 'value': expected a single value, found a "
     "list"},
    {"a broken secondary configuration", "processing: {secondary_kafka_configs: {eu: 5}}", errc::wrong_type,
     "/etc/pr/config.yml:1: processing.secondary_kafka_configs: 'eu': expected a list of {name: ..., value: "
     "...}, "
     "passed to librdkafka as they are; found a single value"},
    {"a topic without a name", "processing: {topics: {profiles: \"\"}}", errc::not_allowed,
     "/etc/pr/config.yml:1: processing.topics.profiles: a topic's name must not be empty"},
    {"a topic on an unknown cluster",
     "processing:\n  secondary_kafka_configs: {eu: [], us: []}\n  topics:\n    outcomes: {name: o, config: "
     "asia}",
     errc::not_allowed,
     "/etc/pr/config.yml:4: processing.topics.outcomes: config 'asia' is not in "
     "processing.secondary_kafka_configs; there is: eu, us"},
    {"an empty path", "spool: {envelopes: {path: \"\"}}", errc::not_allowed,
     "/etc/pr/config.yml:1: spool.envelopes.path: a path must not be empty"},
};

}  // namespace

TEST_CASE("a wrong config.yml ends in one line with file, line, key and what is allowed") {
  for (auto const& r : rows) {
    INFO(r.what);
    auto const loaded = load_text(r.text);
    REQUIRE(!loaded);
    CHECK(loaded.error().code == r.code);
    CHECK(message(loaded) == r.message);
  }
}

TEST_CASE("a wrong override names the key") {
  CHECK(message(load_text("", {}, {{"limits.max_profile_siez", "1"}})) ==
        "limits.max_profile_siez: unknown key; the nearest known key is 'limits.max_profile_size'");
  CHECK(message(load_text("", {}, {{"relay.port", "http"}})) ==
        "relay.port: 'http' is not a whole number; allowed: 0 to 65535");
  CHECK(contains(message(load_text("", {}, {{"http.trusted_proxies", "[1.2.3.4"}})),
                 "http.trusted_proxies: not valid YAML"));
  CHECK(message(load_text("", {}, {{"processing.topics.profiles", "{name: a, config: b}"}})) ==
        "processing.topics.profiles: config 'b' is not in processing.secondary_kafka_configs; there is: "
        "nothing");
}

TEST_CASE("a refused Kafka property never prints a value") {
  auto const loaded =
      load_text("processing: {kafka_config: [{name: sasl.password, value: hunter2, extra: hunter2}]}");
  REQUIRE(!loaded);
  CHECK_FALSE(contains(message(loaded), "hunter2"));
}

TEST_CASE("an unknown key is a warning with the nearest known key") {
  struct unknown {
    std::string key;
    std::string nearest;
  };
  for (auto const& [key, nearest] : {unknown{"limits.max_profil_size", "limits.max_profile_size"},
                                     {"limts", "limits"},
                                     {"relay.hosts", "relay.host"},
                                     {"processing.topic", "processing.topics"},
                                     {"spool.envelopes.paths", "spool.envelopes.path"},
                                     {"healht", "health"}}) {
    auto const loaded = load_text(yaml_for(key, "{a: 1}"));
    INFO(key << ": " << message(loaded));
    REQUIRE(loaded);
    auto const line = std::to_string(1 + std::count(key.begin(), key.end(), '.'));
    REQUIRE(loaded.value().warnings.size() == 1);
    CHECK(loaded.value().warnings[0] == "/etc/pr/config.yml:" + line + ": unknown key '" + key +
                                            "' is ignored; the nearest known key is '" + nearest + "'");
  }
}

TEST_CASE("sections and keys may be left empty") {
  auto const loaded =
      load_text("relay:\nlimits:\n  max_profile_size:\n  max_connections: ~\nprocessing: null\n");
  REQUIRE(loaded);
  CHECK(loaded.value().warnings.empty());
  CHECK(loaded.value().values.limits.max_profile_size == settings{}.limits.max_profile_size);
}
