// One row or more for each row of ingestion contract 1.3.

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "tests/envelope/parsed_text.hpp"

using namespace profile_relay::envelope;
using test::verdict;

namespace {

result<envelope_header> header_of(std::string const& text) {
  padded_copy const copy(text);
  return parse_header(copy.view());
}

std::string const key = "a94ae32be2584e0bbd7a4cbb95971fee";

}  // namespace

TEST_CASE("every known key of the envelope header has one JSON type") {
  struct row {
    char const* name;
    std::vector<char const*> good;
    std::vector<char const*> bad;
  };
  std::vector<row> const rows{
      {"event_id",
       {"null", "\"a94ae32be2584e0bbd7a4cbb95971fee\"", "\"A94AE32B-E258-4E0B-BD7A-4CBB95971FEE\""},
       {"5", "\"\"", "\"a94ae32b\"", "\"a94ae32be2584e0bbd7a4cbb95971fex\"",
        "\"a94ae32b-e2584e0b-bd7a-4cbb-95971fee\""}},
      {"dsn",
       {"null", "\"https://a94ae32be2584e0bbd7a4cbb95971fee@sentry.io/42\""},
       {"5", "\"\"", "\"https://sentry.io/42\""}},
      {"client", {"null", "\"sentry.java/8.51.0\""}, {"5", "{}"}},
      {"version", {"null", "7", "65535"}, {"\"7\"", "65536", "-1", "7.5"}},
      {"origin", {"null", "\"https://example.org\""}, {"5", "[]"}},
      {"remote_addr", {"null", "\"192.0.2.1\""}, {"5"}},
      {"forwarded_for", {"null", "\"\""}, {"[]"}},
      {"user_agent", {"null", "\"curl\""}, {"false"}},
      {"client_hints", {"null", "{}"}, {"\"\"", "[]"}},
      {"no_cache", {"null", "true", "false"}, {"0", "\"true\""}},
      {"retention", {"null", "90"}, {"\"90\"", "65536"}},
      {"downsampled_retention", {"null", "30"}, {"-1", "1e1"}},
      {"trace", {"null", "{}", "5", "\"x\"", "[]"}, {}},
      {"sent_at",
       {"null", "\"2026-07-01T12:34:56Z\"", "\"2026-07-01T12:34:56.123456789+02:00\"",
        "\"2026-07-01 00:00:60z\""},
       {"5", "\"\"", "\"yesterday\"", "\"2026-07-01\"", "\"2026-13-01T00:00:00Z\"", "\"2026-07-01T00:00:00\"",
        "\"2026-07-01T00:00:00.Z\"", "\"2026-07-01T00:00:00Zx\""}},
      {"sdk", {"null", "{\"name\":\"sentry.java\"}", "5", "\"x\""}, {}},
      {"anything else", {"null", "{}", "5", "1e300", "\"x\""}, {}},
  };
  for (auto const& r : rows) {
    for (auto const* value : r.good) {
      INFO(r.name << ": " << value);
      CHECK(verdict(header_of("{\"" + std::string(r.name) + "\":" + value + "}\n")) == "ok");
    }
    for (auto const* value : r.bad) {
      INFO(r.name << ": " << value);
      auto const header = header_of("{\"" + std::string(r.name) + "\":" + value + "}\n");
      REQUIRE(verdict(header) == "invalid_header");
      CHECK(header.error().what.find("`" + std::string(r.name) + "`") != std::string::npos);
    }
  }
}

TEST_CASE("values of the envelope header that mean something here") {
  auto const header = header_of(R"({"event_id":"A94AE32B-E258-4E0B-BD7A-4CBB95971FEE","dsn":"http://)" + key +
                                R"(@localhost:3000/7","client":"sdk/1","origin":"https://example.org"})");
  REQUIRE(verdict(header) == "ok");
  CHECK(header->event_id == key);
  REQUIRE(header->dsn_);
  CHECK(header->dsn_->public_key == key);
  CHECK(header->dsn_->project_id == 7);
  CHECK(header->client == "sdk/1");
  CHECK(header->origin == "https://example.org");
  CHECK_FALSE(header->trace_malformed);

  auto const empty = header_of("{}");
  REQUIRE(verdict(empty) == "ok");
  CHECK_FALSE(empty->event_id);
  CHECK_FALSE(empty->dsn_);
  CHECK_FALSE(empty->client);
  CHECK_FALSE(empty->origin);
  CHECK_FALSE(empty->trace_malformed);
}

TEST_CASE("a trace that is no sampling context is told, not refused") {
  struct row {
    std::string value;
    bool malformed;
  };
  std::vector<row> const rows{
      {"null", false},
      {"{\"trace_id\":\"" + key + "\",\"public_key\":\"" + key + "\",\"sample_rate\":\"1\"}", false},
      {"5", true},
      {"[]", true},
      {"{}", true},
      {"{\"trace_id\":\"" + key + "\"}", true},
      {"{\"trace_id\":\"x\",\"public_key\":\"" + key + "\"}", true},
      {"{\"trace_id\":\"" + key + "\",\"public_key\":5}", true},
  };
  for (auto const& r : rows) {
    INFO(r.value);
    auto const header = header_of("{\"trace\":" + r.value + "}");
    REQUIRE(verdict(header) == "ok");
    CHECK(header->trace_malformed == r.malformed);
  }
}

TEST_CASE("the first line is judged without looking at the items") {
  CHECK(verdict(header_of("{}\nnot an item header")) == "ok");
  CHECK(verdict(header_of("{} \n")) == "missing_newline");
}
