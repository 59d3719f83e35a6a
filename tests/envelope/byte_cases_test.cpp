// One row or more for each row of ingestion contract 1.2, with the place that an error names.

#include <catch2/catch.hpp>
#include <optional>
#include <string>
#include <vector>

#include "tests/envelope/parsed_text.hpp"

using namespace profile_relay::envelope;
using namespace std::string_literals;
using test::parsed_text;
using test::verdict;

namespace {

struct good_row {
  char const* name;
  std::string body;
  std::string payloads;  ///< each in brackets
};

struct bad_row {
  char const* name;
  std::string body;
  char const* code;
  std::size_t offset;
  std::optional<std::size_t> item;
};

constexpr std::optional<std::size_t> in_envelope_header = std::nullopt;

std::string nested(std::size_t depth) {
  return "{\"a\":" + std::string(depth - 1, '[') + std::string(depth - 1, ']') + "}";
}

std::string padded_header(std::size_t size) { return "{\"a\":\"" + std::string(size - 8, 'x') + "\"}"; }

}  // namespace

TEST_CASE("bodies that are legal envelopes") {
  std::vector<good_row> const rows{
      {"header only, no line feed", "{}", ""},
      {"header only, line feed", "{}\n", ""},
      {"blanks before the envelope header", " \t\r\n\n{}\n", ""},
      {"blanks before an item header", "{}\n\n \t\r\n{\"type\":\"a\"}\nx\n", "[x]"},
      {"line feeds between the tokens of a header", "{\n}\n{\"type\":\n\"a\"}\nx", "[x]"},
      {"braces and quotes inside strings", "{\"a\":\"}\\\"{\"}\n{\"type\":\"]}\\\\\"}\nx", "[x]"},
      {"payload to the next line feed", "{}\n{\"type\":\"a\"}\none\n{\"type\":\"b\"}\ntwo\n", "[one][two]"},
      {"payload to the end of the body", "{}\n{\"type\":\"a\"}\none", "[one]"},
      {"length, line feed after it", "{}\n{\"type\":\"a\",\"length\":3}\none\n", "[one]"},
      {"length, end of the body after it", "{}\n{\"type\":\"a\",\"length\":3}\none", "[one]"},
      {"length over line feeds and zero bytes", "{}\n{\"type\":\"a\",\"length\":6}\n\n{}\n\0\n\n"s,
       "[\n{}\n\0\n]"s},
      {"length 0, then a line feed", "{}\n{\"type\":\"a\",\"length\":0}\n\n{\"type\":\"b\"}\nx", "[][x]"},
      {"length 0 at the end of the body", "{}\n{\"type\":\"a\",\"length\":0}", "[]"},
      {"item header at the end of the body", "{}\n{\"type\":\"a\"}", "[]"},
      {"item header and line feed at the end of the body", "{}\n{\"type\":\"a\"}\n", "[]"},
      {"empty payload without length between items", "{}\n{\"type\":\"a\"}\n\n{\"type\":\"b\"}\nx", "[][x]"},
      {"length null counts as absent", "{}\n{\"type\":\"a\",\"length\":null}\none\n", "[one]"},
      {"one line feed after the last payload", "{}\n{\"type\":\"a\",\"length\":1}\nx\n", "[x]"},
      {"unknown keys in both headers", "{\"x\":[1]}\n{\"y\":{\"type\":5},\"type\":\"a\"}\nx", "[x]"},
      {"an unknown key twice", "{\"x\":1,\"x\":2}\n{\"y\":1,\"y\":2,\"type\":\"a\"}\nx", "[x]"},
      {"trace of a wrong type, and twice", "{\"trace\":5,\"trace\":[]}\n{\"type\":\"a\"}\nx", "[x]"},
      {"carriage return inside a payload", "{}\n{\"type\":\"a\"}\nx\r\n", "[x\r]"},
      {"deepest header", nested(max_header_depth), ""},
      {"longest header", padded_header(max_header_bytes) + "\n", ""},
  };
  for (auto const& row : rows) {
    INFO(row.name);
    parsed_text const text(row.body);
    REQUIRE(verdict(text.outcome()) == "ok");
    std::string payloads;
    for (auto const& it : text.items()) payloads.append("[").append(it.payload.text()).append("]");
    CHECK(payloads == row.payloads);
  }
}

TEST_CASE("bodies that are refused, with offset and item number") {
  std::string const big = "{}\n{\"type\":\"a\"}\nx\n";  // 18 bytes
  std::vector<bad_row> const rows{
      {"empty body", "", "missing_header", 0, in_envelope_header},
      {"blanks only", " \n\t", "missing_header", 3, in_envelope_header},
      {"carriage return after the envelope header", "{}\r\n", "missing_newline", 2, in_envelope_header},
      {"blank after the envelope header", "{} \n", "missing_newline", 2, in_envelope_header},
      {"text after the envelope header", "{}x", "missing_newline", 2, in_envelope_header},
      {"a second object after the envelope header", "{}{}", "missing_newline", 2, in_envelope_header},
      {"carriage return after an item header", "{}\n{\"type\":\"a\"}\r\nx", "missing_newline", 15, 0},
      {"blank after an item header", big + "{\"type\":\"a\"} \nx", "missing_newline", 30, 1},
      {"length larger than the rest", "{}\n{\"type\":\"a\",\"length\":4}\none", "unexpected_eof", 27, 0},
      {"largest length", "{}\n{\"type\":\"a\",\"length\":4294967295}\none", "unexpected_eof", 36, 0},
      {"length at the end of the body", "{}\n{\"type\":\"a\",\"length\":1}", "unexpected_eof", 26, 0},
      {"length too small", "{}\n{\"type\":\"a\",\"length\":2}\none\n", "missing_newline", 29, 0},
      {"length before a carriage return", "{}\n{\"type\":\"a\",\"length\":3}\none\r\n", "missing_newline", 30,
       0},
      {"length 0 without a line feed", "{}\n{\"type\":\"a\",\"length\":0}\n{}", "missing_newline", 27, 0},
      {"length negative", "{}\n{\"type\":\"a\",\"length\":-1}\nx", "invalid_item_header", 3, 0},
      {"length fractional", "{}\n{\"type\":\"a\",\"length\":1.0}\nx", "invalid_item_header", 3, 0},
      {"length a string", "{}\n{\"type\":\"a\",\"length\":\"1\"}\nx", "invalid_item_header", 3, 0},
      {"length 2^32", "{}\n{\"type\":\"a\",\"length\":4294967296}\nx", "invalid_item_header", 3, 0},
      {"length above 2^64", "{}\n{\"type\":\"a\",\"length\":18446744073709551617}\n", "invalid_item_header",
       3, 0},
      {"one more blank line at the end", big + "\n", "unexpected_eof", 19, 1},
      {"blank line after the envelope header, then nothing", "{}\n\n", "unexpected_eof", 4, 0},
      {"envelope header an array", "[]\n", "invalid_header", 0, in_envelope_header},
      {"envelope header a number", " 5\n", "invalid_header", 1, in_envelope_header},
      {"envelope header not JSON", "{]\n", "invalid_header", 0, in_envelope_header},
      {"envelope header cut off", "{\"a\":{}", "invalid_header", 0, in_envelope_header},
      {"envelope header cut off in an escape", "{\"a\\", "invalid_header", 0, in_envelope_header},
      {"envelope header not UTF-8", "{\"a\":\"\xff\"}\n", "invalid_header", 0, in_envelope_header},
      {"invalid value of an unknown key", "{\"a\":nul}\n", "invalid_header", 0, in_envelope_header},
      {"line feed inside a string", "{\"a\":\"\n\"}\n", "invalid_header", 0, in_envelope_header},
      {"byte order mark", "\xef\xbb\xbf{}\n", "invalid_header", 0, in_envelope_header},
      {"item header an array", "{}\n[]\n", "invalid_item_header", 3, 0},
      {"item header text", "{}\n\nhello", "invalid_item_header", 4, 0},
      {"item header not UTF-8", "{}\n{\"type\":\"\xc3(\"}\n", "invalid_item_header", 3, 0},
      {"no type", "{}\n{\"length\":0}\n", "invalid_item_header", 3, 0},
      {"type null", "{}\n{\"type\":null}\n", "invalid_item_header", 3, 0},
      {"type a number", "{}\n{\"type\":5}\n", "invalid_item_header", 3, 0},
      {"known key of the envelope header twice", "{\"event_id\":null,\"event_id\":null}", "invalid_header", 0,
       in_envelope_header},
      {"known key of an item header twice", "{}\n{\"type\":\"a\",\"typ\\u0065\":\"a\"}",
       "invalid_item_header", 3, 0},
      {"one bad item among good ones", big + "{}\nx\n{\"type\":\"a\"}\nx\n", "invalid_item_header", 18, 1},
      {"header too deep", nested(max_header_depth + 1), "invalid_header", 0, in_envelope_header},
      {"header too long", padded_header(max_header_bytes + 1), "invalid_header", 0, in_envelope_header},
  };
  for (auto const& row : rows) {
    INFO(row.name);
    parsed_text const text(row.body);
    REQUIRE(verdict(text.outcome()) == row.code);
    CHECK(text.outcome().error().offset == row.offset);
    CHECK(text.outcome().error().item == row.item);
    CHECK_FALSE(text.outcome().error().what.empty());
  }
}

TEST_CASE("items know their number and where their header starts") {
  parsed_text const text("{}\n{\"type\":\"a\"}\nx\n \n{\"type\":\"b\",\"length\":2}\n\n\n\n{\"type\":\"c\"}");
  REQUIRE(verdict(text.outcome()) == "ok");
  auto const& items = text.items();
  REQUIRE(items.size() == 3);
  std::vector<std::size_t> const offsets{3, 20, 47};
  for (std::size_t i = 0; i < items.size(); ++i) {
    CHECK(items[i].index == i);
    CHECK(items[i].offset == offsets[i]);
  }
}

TEST_CASE("a payload is a view into the body, not a copy") {
  parsed_text const text("{}\n{\"type\":\"a\",\"length\":3}\none\n");
  REQUIRE(verdict(text.outcome()) == "ok");
  CHECK(text.items()[0].payload.bytes().data() == text.body().bytes().data() + 27);
}

TEST_CASE("an error never repeats bytes of the body") {
  parsed_text const text("{}\n{\"type\":\"a\",\"length\":\"sesame\"}\n");
  REQUIRE(text.outcome().has_error());
  CHECK(text.outcome().error().what == "item header: key `length` is not an integer from 0 to 4294967295");
}

TEST_CASE("an error says which bound was passed") {
  CHECK(parsed_text(nested(max_header_depth + 1)).outcome().error().what ==
        "envelope header: the JSON object is nested deeper than 64 levels");
  CHECK(parsed_text(padded_header(max_header_bytes + 1)).outcome().error().what ==
        "envelope header: the JSON object is longer than 1048576 bytes");
}

TEST_CASE("memory is bounded by counting items and header bytes") {
  std::string const item = "{\"type\":\"a\"}\n\n";
  std::string body = "{}\n";
  for (std::size_t i = 0; i < max_items; ++i) body += item;
  CHECK(verdict(parsed_text(body).outcome()) == "ok");
  body += item;
  parsed_text const over(body);
  REQUIRE(verdict(over.outcome()) == "invalid_item_header");
  CHECK(over.outcome().error().item == max_items);

  std::string const fat = "{\"type\":\"" + std::string((1U << 19) - 11, 'a') + "\"}\n\n";
  std::string heavy = "{}\n";
  std::size_t const fits = max_headers_total_bytes >> 19;
  for (std::size_t i = 0; i < fits; ++i) heavy += fat;
  CHECK(verdict(parsed_text(heavy).outcome()) == "ok");
  CHECK(verdict(parsed_text(heavy + item).outcome()) == "invalid_item_header");
}
