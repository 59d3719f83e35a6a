// One row or more for each row of ingestion contract 3.3.

#include "envelope/pairing.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "envelope/raw_chunk.hpp"
#include "tests/envelope/parsed_text.hpp"

using namespace profile_relay::envelope;
using test::parsed_text;

namespace {

/// "C": a chunk, "M": a chunk with `meta_length`, "d": a data item, "e": an event.
std::vector<item> items_of(std::string_view letters) {
  std::vector<item> out;
  for (char const letter : letters) {
    item it;
    it.index = out.size();
    it.header.type = letter == 'd' ? "profile_chunk_data" : letter == 'e' ? "event" : "profile_chunk";
    if (letter == 'M') it.header.meta_length = 0;
    out.push_back(std::move(it));
  }
  return out;
}

/// For each item its partner's number, "." for none: "C d" reads "1.".
std::string partners(pairing const& p) {
  std::string out;
  for (auto const partner : p.partner) out += partner == pairing::none ? "." : std::to_string(partner);
  return out;
}

struct part {
  std::string keys;
  std::string payload;
};

std::string pair_of(part const& chunk, part const& data) {
  auto const item_text = [](char const* type, part const& p) {
    return "{\"type\":\"" + std::string(type) + "\",\"length\":" + std::to_string(p.payload.size()) + p.keys +
           "}\n" + p.payload + "\n";
  };
  return "{}\n" + item_text("profile_chunk", chunk) + item_text("profile_chunk_data", data);
}

std::string const mime = ",\"content_type\":\"Application/x-perfetto-trace\"";
std::string const octets = ",\"content_type\":\"application/octet-stream\"";
std::string const plain = R"({"version":"2"})";
std::string const says_perfetto = R"({"content_type":"perfetto"})";
std::string const says_mime = R"({"content_type":"application/x-perfetto-trace"})";

}  // namespace

TEST_CASE("which chunk a data item joins") {
  struct row {
    char const* name;
    char const* items;
    char const* partners;
    std::uint64_t replaced;
    std::uint64_t orphaned;
  };
  std::vector<row> const rows{
      {"no data", "CC", "..", 0, 0},
      {"data right after its chunk", "Cd", "1.", 0, 0},
      {"two pairs in turn", "CdCd", "1.3.", 0, 0},
      {"other items between", "eCeed", ".4...", 0, 0},
      {"nearest earlier chunk first", "CCd", ".2.", 0, 0},
      {"then the next nearest without a partner", "CCdd", "32..", 0, 0},
      {"chunks with meta_length are passed over", "CMd", "2..", 0, 0},
      {"no earlier chunk: the next one", "dC", ".0", 0, 0},
      {"no earlier chunk: only the next one", "dCC", ".0.", 0, 0},
      {"earlier chunks all joined: the next one", "CddC", "1..2", 0, 0},
      {"data first, then the other way round", "dCCd", ".03.", 0, 0},
      {"two data items first", "ddCC", "..01", 0, 0},
      {"a later chunk with meta_length is passed over", "dMC", "..0", 0, 0},
      {"two data items for one chunk", "Cdd", "2..", 1, 0},
      {"three data items for one chunk", "Cddd", "3...", 2, 0},
      {"the nearest earlier chunk is the one replaced", "CCddd", "34...", 1, 0},
      {"with none before, the first one after", "dddCC", "...21", 1, 0},
      {"two data items before one chunk", "ddC", "..1", 1, 0},
      {"data before and after one chunk", "dCd", ".2.", 1, 0},
      {"data without any chunk", "d", ".", 0, 1},
      {"data beside other items only", "ede", "...", 0, 1},
      {"two data items without any chunk", "dd", "..", 0, 2},
      {"data meant for a chunk with meta_length", "Md", "..", 0, 1},
      {"the same in the other order", "dM", "..", 0, 1},
  };
  for (auto const& r : rows) {
    INFO(r.name);
    auto const p = pair_items(items_of(r.items));
    CHECK(partners(p) == r.partners);
    CHECK(p.replaced == r.replaced);
    CHECK(p.orphaned == r.orphaned);
  }
}

TEST_CASE("is a pair Perfetto, and does it have both parts") {
  struct row {
    char const* name;
    part chunk;
    part data;
    chunk_shape shape;
    bool known_from_metadata;
  };
  std::vector<row> const rows{
      {"the chunk's header says so", {mime, plain}, {"", "t"}, chunk_shape::perfetto, false},
      {"the data item's header says so", {"", plain}, {mime, "t"}, chunk_shape::perfetto, false},
      {"both headers say so", {mime, says_mime}, {mime, "t"}, chunk_shape::perfetto, false},
      {"only the metadata says so", {"", says_perfetto}, {"", "t"}, chunk_shape::perfetto, true},
      {"only the metadata, MIME name", {"", says_mime}, {octets, "t"}, chunk_shape::perfetto, true},
      {"metadata under a JSON header",
       {",\"content_type\":\"application/json\"", says_perfetto},
       {octets, "t"},
       chunk_shape::perfetto,
       true},
      {"data item as octet stream", {mime, plain}, {octets, "t"}, chunk_shape::perfetto, false},
      {"nothing says so", {"", plain}, {"", "t"}, chunk_shape::unknown_pair, false},
      {"nothing says so, octet stream", {octets, plain}, {octets, "t"}, chunk_shape::unknown_pair, false},
      {"metadata is no JSON", {"", "perfetto"}, {"", "t"}, chunk_shape::unknown_pair, false},
      {"empty trace", {mime, plain}, {"", ""}, chunk_shape::invalid_split, false},
      {"empty metadata", {mime, ""}, {"", "t"}, chunk_shape::invalid_split, false},
      {"empty metadata, data item's header", {"", ""}, {mime, "t"}, chunk_shape::invalid_split, false},
  };
  for (auto const& r : rows) {
    INFO(r.name);
    parsed_text const text(pair_of(r.chunk, r.data));
    auto const taken = take_chunks(text.outcome().value());
    REQUIRE(taken.chunks.size() == 1);
    auto const& chunk = taken.chunks.front();
    CHECK(chunk.shape == r.shape);
    CHECK(chunk.known_from_metadata == r.known_from_metadata);
    CHECK(chunk.metadata.text() == r.chunk.payload);
    CHECK(chunk.trace.text() == r.data.payload);
  }
}

TEST_CASE("a pair has the chunk's number and platform, and the size of both items") {
  struct row {
    char const* name;
    std::string chunk_keys;
    std::string data_keys;
    std::optional<std::string> platform;
  };
  std::vector<row> const rows{
      {"the chunk's", ",\"platform\":\"android\"", ",\"platform\":\"cocoa\"", "android"},
      {"else the data item's", "", ",\"platform\":\"cocoa\"", "cocoa"},
      {"neither", "", "", std::nullopt},
  };
  for (auto const& r : rows) {
    INFO(r.name);
    parsed_text const text(pair_of({mime + r.chunk_keys, plain}, {r.data_keys, "a\nbc"}));
    auto const chunk = take_chunks(text.outcome().value()).chunks.at(0);
    CHECK(chunk.platform == r.platform);
    CHECK(chunk.item_index == 0);
    CHECK(chunk.size() == plain.size() + 4);
  }
}

TEST_CASE("one bad pair leaves the other chunks of the envelope alone, and the counts are told") {
  auto const bad_pair = pair_of({"", plain}, {"", "t"});
  parsed_text const text(bad_pair +
                         "{\"type\":\"profile_chunk_data\"}\nlast\n"
                         "{\"type\":\"profile_chunk\",\"meta_length\":2,\"length\":3" +
                         mime + "}\n{}t\n" + "{\"type\":\"profile_chunk_ui\"}\n{}\n");
  auto const taken = take_chunks(text.outcome().value());
  REQUIRE(taken.chunks.size() == 3);
  CHECK(taken.chunks[0].shape == chunk_shape::unknown_pair);
  CHECK(taken.chunks[0].trace.text() == "t");
  CHECK(taken.chunks[1].shape == chunk_shape::perfetto);
  CHECK(taken.chunks[1].item_index == 3);
  CHECK(taken.chunks[2].shape == chunk_shape::unknown_pair);
  CHECK(taken.chunks[2].trace.text() == "last");

  parsed_text const lossy(
      "{}\n{\"type\":\"profile_chunk\"}\n{}\n{\"type\":\"profile_chunk_data\"}\na\n"
      "{\"type\":\"profile_chunk_data\"}\nb\n");
  CHECK(take_chunks(lossy.outcome().value()).counts.data_replaced == 1);
  parsed_text const orphan("{}\n{\"type\":\"profile_chunk_data\"}\na\n");
  CHECK(take_chunks(orphan.outcome().value()).counts.data_orphaned == 1);
}
