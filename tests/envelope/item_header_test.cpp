// One row or more for each row of ingestion contract 1.4, and its example.

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "tests/envelope/parsed_text.hpp"

using namespace profile_relay::envelope;
using namespace std::string_literals;
using test::parsed_text;
using test::verdict;

TEST_CASE("every known key of an item header has one JSON type") {
  struct row {
    char const* name;
    std::vector<char const*> good;
    std::vector<char const*> bad;
  };
  std::vector<row> const rows{
      {"length", {"null", "0"}, {"-1", "0.0", "\"0\"", "4294967296", "true", "[]"}},
      {"content_type", {"null", "\"application/json\"", "\"application-json\"", "\"\""}, {"5", "{}"}},
      {"meta_length", {"null", "0", "4294967295"}, {"-1", "1.5", "\"1\"", "4294967296"}},
      {"platform", {"null", "\"android\"", "\"\""}, {"5", "[]"}},
      {"filename", {"null", "\"profile.pftrace\""}, {"5"}},
      {"attachment_type", {"null", "\"event.attachment\""}, {"5"}},
      {"item_count", {"null", "3"}, {"\"3\"", "-3"}},
      {"routing_hint", {"null", "\"x\""}, {"5"}},
      {"rate_limited", {"null", "true"}, {"1"}},
      {"metrics_extracted", {"null", "false"}, {"\"true\""}},
      {"spans_extracted", {"null", "true"}, {"0"}},
      {"fully_normalized", {"null", "true"}, {"{}"}},
      {"sampled", {"null", "false"}, {"\"\""}},
      {"anything else", {"null", "5", "{}", "\"x\"", "-1.5e3"}, {}},
  };
  for (auto const& r : rows) {
    auto const body = [&](char const* value) {
      return "{}\n{\"type\":\"a\",\"" + std::string(r.name) + "\":" + value + "}";
    };
    for (auto const* value : r.good) {
      INFO(r.name << ": " << value);
      CHECK(verdict(parsed_text(body(value)).outcome()) == "ok");
    }
    for (auto const* value : r.bad) {
      INFO(r.name << ": " << value);
      parsed_text const text(body(value));
      REQUIRE(verdict(text.outcome()) == "invalid_item_header");
      CHECK(text.outcome().error().what.find("`" + std::string(r.name) + "`") != std::string::npos);
    }
  }
}

TEST_CASE("key order means nothing, and absent keys are absent") {
  parsed_text const text(
      "{}\n"
      "{\"meta_length\":1,\"platform\":\"android\",\"length\":2,\"content_type\":\"X/"
      "y\",\"type\":\"profile_chunk\"}\n"
      "ab\n"
      "{\"type\":\"t\"}\n");
  REQUIRE(verdict(text.outcome()) == "ok");
  auto const& first = text.items()[0].header;
  CHECK(first.type == "profile_chunk");
  CHECK(first.length == 2U);
  CHECK(first.content_type == "X/y");
  CHECK(first.meta_length == 1U);
  CHECK(first.platform == "android");
  auto const& second = text.items()[1].header;
  CHECK_FALSE(second.length);
  CHECK_FALSE(second.content_type);
  CHECK_FALSE(second.meta_length);
  CHECK_FALSE(second.platform);
}

TEST_CASE("a chunk as sentry-java sends it") {
  auto const metadata =
      R"({"chunk_id":"a94ae32be2584e0bbd7a4cbb95971fee","platform":"android","version":"2"})"s;
  auto const trace = "\x0a\x05\x08\x01\n\n{\"type\":\"x\"}\n\0\xff"s;
  auto const header = R"({"content_type":"application/x-perfetto-trace","filename":"p.pftrace",)"
                      R"("type":"profile_chunk","platform":"android","length":)"s +
                      std::to_string(metadata.size() + trace.size()) +
                      ",\"meta_length\":" + std::to_string(metadata.size()) + "}";
  parsed_text const text(R"({"event_id":"a94ae32be2584e0bbd7a4cbb95971fee",)"
                         R"("sdk":{"name":"sentry.java.android","version":"8.51.0"},)"
                         R"("sent_at":"2026-07-01T12:34:56.789Z"})"
                         "\n"s +
                         header + "\n" + metadata + trace + "\n");
  REQUIRE(verdict(text.outcome()) == "ok");
  CHECK(text.outcome()->header.event_id == "a94ae32be2584e0bbd7a4cbb95971fee");
  REQUIRE(text.items().size() == 1);
  auto const& chunk = text.items()[0];
  CHECK(chunk.header.meta_length == metadata.size());
  CHECK(chunk.header.platform == "android");
  CHECK(chunk.header.content_type == "application/x-perfetto-trace");
  CHECK(chunk.payload.text() == metadata + trace);
}

TEST_CASE("internal item types are refused") {
  parsed_text const text("{}\n{\"type\":\"a\"}\nx\n{\"type\":\"integration\"}\nx\n");
  REQUIRE(verdict(text.outcome()) == "internal_item_type");
  CHECK(text.outcome().error().offset == 18);
  CHECK(text.outcome().error().item == 1U);
}
