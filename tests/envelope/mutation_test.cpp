// Damaged envelopes: whatever the bytes, no crash (run under sanitizers) and no view outside the body.

#include <catch2/catch.hpp>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "envelope/auth.hpp"
#include "envelope/build.hpp"
#include "envelope/raw_chunk.hpp"
#include "tests/envelope/parsed_text.hpp"

using namespace profile_relay::envelope;
using test::parsed_text;

namespace {

std::vector<std::string> seeds() {
  compound_envelope parts;
  parts.event_id = "a94ae32be2584e0bbd7a4cbb95971fee";
  parts.dsn = "http://a94ae32be2584e0bbd7a4cbb95971fee@[::1]:3000/42";
  parts.platform = "android";
  parts.metadata = R"({"version":"2","content_type":"perfetto","a":[1,{"b":"\u00e4"}]})";
  parts.trace = "\x0a\x05\x08\x01\n\n{}\n";
  auto const compound = build_envelope(parts);
  parts.content_type = "application/octet-stream";
  auto const by_metadata = build_envelope(parts);
  return {
      compound,
      by_metadata,
      "{\"trace\":{\"trace_id\":\"x\"},\"sent_at\":\"2026-07-01T12:34:56Z\"}\n"
      "{\"type\":\"profile_chunk\"}\n{\"content_type\":\"perfetto\"}\n"
      "{\"type\":\"profile_chunk_data\",\"length\":5}\na\n\n\nb\n"
      "{\"type\":\"event\",\"length\":null}\n{}\n"
      "{\"type\":\"profile_chunk_ui\",\"length\":0}\n\n"
      "{\"type\":\"unheard_of\"}",
  };
}

class mutator {
 public:
  explicit mutator(unsigned seed) : random_(seed) {}

  std::string damage(std::string text) {
    std::size_t const times = 1 + below(3);
    for (std::size_t i = 0; i < times; ++i) damage_once(text);
    return text;
  }
  std::size_t below(std::size_t bound) {
    return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random_);
  }

 private:
  void damage_once(std::string& text) {
    static const std::vector<std::string> pieces{"\n",
                                                 "\r\n",
                                                 " ",
                                                 "{",
                                                 "}",
                                                 "\"",
                                                 "\\",
                                                 "[",
                                                 ":",
                                                 "null",
                                                 "-1",
                                                 "{}\n",
                                                 "4294967295",
                                                 "\"length\":9,",
                                                 "\"meta_length\":3,",
                                                 "\xff",
                                                 "\0x"};
    std::size_t const at = below(text.size() + 1);
    switch (below(5)) {
      case 0:
        text.insert(at, pieces[below(pieces.size())]);
        break;
      case 1:
        text.erase(at, 1 + below(8));
        break;
      case 2:
        text.resize(at);
        break;
      case 3:
        text.insert(at, text.substr(below(text.size() + 1), below(64)));
        break;
      default:
        if (at < text.size()) text[at] = static_cast<char>(below(256));
    }
  }

  std::mt19937 random_;
};

bool lies_inside(padded_view part, padded_view body) {
  if (part.empty()) return true;
  auto const* const first = part.bytes().data();
  auto const* const start = body.bytes().data();
  std::less_equal<> const not_after;
  return not_after(start, first) && not_after(first + part.size(), start + body.size());
}

}  // namespace

TEST_CASE("mutated envelopes") {
  auto const originals = seeds();
  mutator mutate(20260701);
  std::size_t accepted = 0;
  std::size_t refused = 0;
  for (int round = 0; round < 6000; ++round) {
    parsed_text const text(mutate.damage(originals[mutate.below(originals.size())]));
    auto const& outcome = text.outcome();
    (void)envelope_credentials(parse_header(text.body()));
    if (outcome.has_error()) {
      ++refused;
      REQUIRE(outcome.error().offset <= text.body().size());
      continue;
    }
    ++accepted;
    std::size_t chunk_items = 0;
    for (auto const& it : text.items()) {
      REQUIRE(lies_inside(it.payload, text.body()));
      REQUIRE(it.offset < text.body().size());
      if (it.header.type == "profile_chunk" || it.header.type == "profile_chunk_ui") ++chunk_items;
    }
    auto const taken = take_chunks(outcome.value());
    REQUIRE(taken.chunks.size() == chunk_items);
    for (auto const& chunk : taken.chunks) {
      REQUIRE(lies_inside(chunk.metadata, text.body()));
      REQUIRE(lies_inside(chunk.trace, text.body()));
      if (chunk.shape == chunk_shape::perfetto) REQUIRE((!chunk.metadata.empty() && !chunk.trace.empty()));
    }
  }
  // The mutations are worth something only if both ways are walked.
  CHECK(accepted > 500);
  CHECK(refused > 500);
}

TEST_CASE("every prefix of an envelope parses or is refused within the body") {
  for (auto const& whole : seeds()) {
    for (std::size_t size = 0; size <= whole.size(); ++size) {
      parsed_text const text(std::string_view(whole).substr(0, size));
      if (text.outcome().has_error()) {
        REQUIRE(text.outcome().error().offset <= size);
      } else {
        for (auto const& it : text.items()) REQUIRE(lies_inside(it.payload, text.body()));
      }
    }
  }
}
