#include "envelope/build.hpp"

#include <catch2/catch.hpp>
#include <string>

#include "tests/envelope/parsed_text.hpp"

using namespace profile_relay::envelope;
using namespace std::string_literals;
using test::parsed_text;
using test::verdict;

TEST_CASE("what is built reads back as the same Perfetto chunk") {
  compound_envelope parts;
  parts.event_id = "a94ae32be2584e0bbd7a4cbb95971fee";
  parts.dsn = "http://a94ae32be2584e0bbd7a4cbb95971fee@127.0.0.1:3000/42";
  parts.platform = "android";
  parts.metadata = R"({"version":"2"})";
  auto const trace = "\x0a\x01\n\n{}\n\0\xff\n"s;
  parts.trace = trace;

  parsed_text const text(build_envelope(parts));
  REQUIRE(verdict(text.outcome()) == "ok");
  auto const& header = text.outcome().value().header;
  CHECK(header.event_id == parts.event_id);
  CHECK(header.dsn_.value().project_id == 42);

  auto const taken = take_chunks(text.outcome().value());
  REQUIRE(taken.chunks.size() == 1);
  auto const& chunk = taken.chunks.front();
  CHECK(chunk.shape == chunk_shape::perfetto);
  CHECK_FALSE(chunk.known_from_metadata);
  CHECK(chunk.platform == "android");
  CHECK(chunk.metadata.text() == parts.metadata);
  CHECK(chunk.trace.text() == parts.trace);
}

TEST_CASE("absent parts are left out, and header values are escaped") {
  compound_envelope parts;
  parts.event_id = "a94ae32be2584e0bbd7a4cbb95971fee";
  parts.platform = "a\"b\\c\n\x01\xc3\xa4";
  parts.content_type.reset();
  parts.metadata = "{}";
  parts.trace = "t";
  parsed_text const text(build_envelope(parts));
  REQUIRE(verdict(text.outcome()) == "ok");
  CHECK_FALSE(text.outcome().value().header.dsn_.has_value());
  auto const& header = text.items().at(0).header;
  CHECK(header.platform == parts.platform);
  CHECK_FALSE(header.content_type.has_value());
  CHECK(header.length == 3U);
  CHECK(header.meta_length == 2U);
}
