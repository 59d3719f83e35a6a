#include "profile/outcome.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using namespace profile_relay::profile;
using profile_relay::envelope::data_category;

namespace {
outcome example() {
  outcome o;
  o.timestamp_us = 1790000003120394;
  o.org_id = 1;
  o.project_id = 42;
  o.key_id = 1054;
  o.id = outcome_id::invalid;
  o.reason = "profiling_not_enough_samples";
  o.event_id = "0123456789abcdef0123456789abcdef";
  o.remote_addr = "192.0.2.7";
  o.source = "edge-1";
  o.category = data_category::profile_chunk_ui;
  return o;
}
}  // namespace

TEST_CASE("the outcome of the specification, byte for byte") {
  CHECK(encode(example()) ==
        R"({"timestamp":"2026-09-21T14:13:23.120394Z","org_id":1,"project_id":42,"key_id":1054,"outcome":3,)"
        R"("reason":"profiling_not_enough_samples","event_id":"0123456789abcdef0123456789abcdef",)"
        R"("remote_addr":"192.0.2.7","source":"edge-1","category":26,"quantity":1})");
}

TEST_CASE("what is unknown is left out") {
  outcome o;
  o.project_id = 7;
  o.id = outcome_id::rate_limited;
  CHECK(
      encode(o) ==
      R"({"timestamp":"1970-01-01T00:00:00.000000Z","project_id":7,"outcome":2,"category":18,"quantity":1})");
}

TEST_CASE("timestamps have six digits and respect the calendar") {
  struct row {
    std::int64_t us;
    const char* text;
  };
  for (const auto& r :
       {row{1, "1970-01-01T00:00:00.000001Z"}, row{951'782'399'999'999, "2000-02-28T23:59:59.999999Z"},
        row{951'782'400'000'000, "2000-02-29T00:00:00.000000Z"},
        row{4'107'542'400'000'000, "2100-03-01T00:00:00.000000Z"}, row{-1, "1969-12-31T23:59:59.999999Z"}}) {
    outcome o;
    o.timestamp_us = r.us;
    CHECK(nlohmann::json::parse(encode(o))["timestamp"] == r.text);
  }
}

TEST_CASE("texts are escaped") {
  auto o = example();
  o.reason = "a\"b\\c\n";
  CHECK(nlohmann::json::parse(encode(o))["reason"] == "a\"b\\c\n");
}

TEST_CASE("an outcome record is keyed by 16 bytes and has no headers") {
  const auto r = make_outcome_record(example(), "0123456789abcdef", "c1");
  CHECK(r.topic == logical_topic::outcomes);
  REQUIRE(r.key);
  CHECK(*r.key == "0123456789abcdef");
  CHECK(r.headers.empty());
  CHECK(r.value == encode(example()));
  CHECK(r.chunk_id == "c1");
  CHECK(r.received_ms == 1790000003120);
  CHECK(r.raw_offset == 0);
}
