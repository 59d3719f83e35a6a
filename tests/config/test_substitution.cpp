#include <catch2/catch.hpp>

#include "config/substitution.hpp"
#include "support.hpp"

using namespace profile_relay::config;
using namespace config_test;

namespace {

environment const outside =
    world({{"HOST", "10.0.0.1"}, {"EMPTY", ""}, {"NESTED", "${HOST}"}},
          {{"/etc/pr/secret", "s3cret\n"}, {"/run/key", "a\r\n"}, {"/run/two", "a\n\n"}, {"/run/none", ""}});

}  // namespace

TEST_CASE("substitution replaces variables and files inside a value") {
  struct row {
    std::string text;
    std::string result;
  };
  for (auto const& [text, expected] : {row{"${HOST}", "10.0.0.1"},
                                       {"a${HOST}:${HOST}b", "a10.0.0.1:10.0.0.1b"},
                                       {"${EMPTY}", ""},
                                       {"${NESTED}", "${HOST}"},
                                       {"${file:secret}", "s3cret"},
                                       {"${file:/run/key}", "a"},
                                       {"${file:/run/two}", "a\n"},
                                       {"${file:/run/none}", ""},
                                       {"$", "$"},
                                       {"$HOST", "$HOST"},
                                       {"pa$$word", "pa$$word"},
                                       {"$${HOST}", "${HOST}"},
                                       {"$$${HOST}", "$${HOST}"},
                                       {"{HOST}", "{HOST}"},
                                       {"", ""}}) {
    INFO(text);
    std::string out;
    auto const refused = substitute(text, outside, "/etc/pr", out);
    CHECK_FALSE(refused);
    CHECK(out == expected);
  }
}

TEST_CASE("what is missing is an error that names it") {
  struct row {
    std::string text;
    errc code;
    std::string names;
  };
  for (auto const& [text, code, names] : {row{"${NOPE}", errc::missing_variable, "NOPE is not set"},
                                          {"x${HOST}${NOPE}", errc::missing_variable, "NOPE is not set"},
                                          {"${file:nope}", errc::missing_variable, "/etc/pr/nope"},
                                          {"${file:}", errc::missing_variable, "names no file"},
                                          {"${}", errc::missing_variable, "names no variable"},
                                          {"${HOST", errc::syntax, "without a closing '}'"}}) {
    INFO(text);
    std::string out;
    auto const refused = substitute(text, outside, "/etc/pr", out);
    REQUIRE(refused);
    CHECK(refused->code == code);
    CHECK(contains(refused->what, names));
  }
}

TEST_CASE("values of config.yml are substituted before they are read, Kafka properties too") {
  auto const env = world({{"PORT", "4321"}, {"BROKER", "k:9092"}}, {{"/etc/pr/pw", "p: {w}\n"}});
  auto const loaded = load("/etc/pr", R"(
relay: {port: "${PORT}"}
processing:
  kafka_config:
    - {name: bootstrap.servers, value: "${BROKER}"}
    - {name: sasl.password, value: "${file:pw}"}
  topics: {profiles: "profiles-${PORT}"}
)",
                           env);
  INFO(message(loaded));
  REQUIRE(loaded);
  CHECK(loaded.value().values.relay.port == 4321);
  CHECK(loaded.value().values.processing.kafka_config ==
        kafka_properties{{"bootstrap.servers", "k:9092"}, {"sasl.password", "p: {w}"}});
  CHECK(loaded.value().values.processing.profiles.name == "profiles-4321");
}

TEST_CASE("a missing variable names file, line, key and variable") {
  CHECK(message(load_text("relay:\n  host: ${NOPE}\n")) ==
        "/etc/pr/config.yml:2: relay.host: the environment variable NOPE is not set; write $${ for a literal "
        "${");
  CHECK(message(load_text("processing:\n  kafka_config: [{name: a, value: '${file:x}'}]\n")) ==
        "/etc/pr/config.yml:2: processing.kafka_config: ${file:x}: cannot read /etc/pr/x");
}

TEST_CASE("text from the environment and the command line is taken as it is") {
  auto const loaded = load_text("", {{"RELAY_SOURCE_ID", "${HOST}"}});
  REQUIRE(loaded);
  CHECK(loaded.value().values.outcomes.source == "${HOST}");
  CHECK(load_text("", {}, {{"outcomes.source", "${X}"}}).value().values.outcomes.source == "${X}");
}
