// One row or more for each of S1 to S5, ingestion contract 3.2.

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "envelope/raw_chunk.hpp"
#include "tests/envelope/parsed_text.hpp"

using namespace profile_relay::envelope;
using test::parsed_text;

namespace {

std::string const plain = R"({"version":"2"})";
std::string const says_perfetto = R"({"version":"2","content_type":"perfetto"})";
std::string const says_mime = R"({"content_type":"application/x-Perfetto-trace","a":[{}]})";
std::string const trace("\x0a\x02\n\0", 4);

std::string one_item(std::string const& header_keys, std::string const& payload) {
  return "{}\n{\"type\":\"profile_chunk\",\"length\":" + std::to_string(payload.size()) + header_keys +
         "}\n" + payload;
}

std::string split(std::size_t at) { return ",\"meta_length\":" + std::to_string(at); }
std::string type(std::string const& value) { return ",\"content_type\":\"" + value + "\""; }

std::string nested_metadata(std::size_t depth) {
  return R"({"content_type":"perfetto","a":)" + std::string(depth - 1, '[') + std::string(depth - 1, ']') +
         "}";
}

}  // namespace

TEST_CASE("the shape table") {
  auto const mime = type("application/x-perfetto-trace");
  auto const octets = type("application/octet-stream");
  auto const n = plain.size();
  auto const p = says_perfetto.size();
  auto const broken = says_perfetto.substr(0, p - 1);
  auto const big = R"({"content_type":"perfetto","a":")" + std::string(max_metadata_bytes, 'x') + "\"}";
  struct row {
    char const* name;
    std::string keys;
    std::string payload;
    chunk_shape shape;
    std::size_t metadata_size;
    bool known_from_metadata;
  };
  std::vector<row> const rows{
      {"S1 no meta_length", mime, plain + trace, chunk_shape::invalid_split, n + 4, false},
      {"S1 meta_length null", mime + ",\"meta_length\":null", plain + trace, chunk_shape::invalid_split,
       n + 4, false},
      {"S1 meta_length 0", mime + split(0), plain + trace, chunk_shape::invalid_split, n + 4, false},
      {"S1 meta_length = payload", mime + split(n), plain, chunk_shape::invalid_split, n, false},
      {"S1 meta_length > payload", mime + split(n + 1), plain, chunk_shape::invalid_split, n, false},
      {"S1 empty payload", mime + split(0), "", chunk_shape::invalid_split, 0, false},
      {"S1 whatever the metadata says", mime, says_perfetto + trace, chunk_shape::invalid_split, p + 4,
       false},
      {"S2 in range", mime + split(n), plain + trace, chunk_shape::perfetto, n, false},
      {"S2 in another case", type("Application/X-PERFETTO-Trace") + split(n), plain + trace,
       chunk_shape::perfetto, n, false},
      {"S2 smallest parts", mime + split(1), "ab", chunk_shape::perfetto, 1, false},
      {"S2 does not look at the metadata", mime + split(3), "no json", chunk_shape::perfetto, 3, false},
      {"S3 no content type", split(p), says_perfetto + trace, chunk_shape::perfetto, p, true},
      {"S3 octet stream", octets + split(p), says_perfetto + trace, chunk_shape::perfetto, p, true},
      {"S3 octet stream in another case", type("APPLICATION/octet-stream") + split(p), says_perfetto + trace,
       chunk_shape::perfetto, p, true},
      {"S3 unknown content type", type("application-json") + split(p), says_perfetto + trace,
       chunk_shape::perfetto, p, true},
      {"S3 metadata says the MIME name", split(says_mime.size()), says_mime + trace, chunk_shape::perfetto,
       says_mime.size(), true},
      {"S3 metadata as deep as allowed", split(nested_metadata(64).size()), nested_metadata(64) + trace,
       chunk_shape::perfetto, nested_metadata(64).size(), true},
      {"S4 metadata says nothing", split(n), plain + trace, chunk_shape::invalid_split, n + 4, false},
      {"S4 metadata says another format", split(22), "{\"content_type\":\"json\"}" + trace,
       chunk_shape::invalid_split, 27, false},
      {"S4 metadata is no JSON", split(broken.size()), broken + trace, chunk_shape::invalid_split, p + 3,
       false},
      {"S4 metadata is an array", split(14), "[\"perfetto\", 1]", chunk_shape::invalid_split, 15, false},
      {"S4 metadata too deep", split(nested_metadata(65).size()), nested_metadata(65) + trace,
       chunk_shape::invalid_split, nested_metadata(65).size() + 4, false},
      {"S4 metadata too long", split(big.size()), big + trace, chunk_shape::invalid_split, big.size() + 4,
       false},
      {"S4 content type of another format", type("application/json") + split(p), says_perfetto + trace,
       chunk_shape::invalid_split, p + 4, false},
      {"S4 the same in another case", type("TEXT/plain") + split(p), says_perfetto + trace,
       chunk_shape::invalid_split, p + 4, false},
      {"S4 meta_length 0", split(0), says_perfetto, chunk_shape::invalid_split, p, false},
      {"S4 meta_length = payload", split(p), says_perfetto, chunk_shape::invalid_split, p, false},
      {"S4 largest meta_length", split(4294967295U), says_perfetto, chunk_shape::invalid_split, p, false},
      {"S5 no content type", "", plain, chunk_shape::json, n, false},
      {"S5 JSON", type("application/json"), plain, chunk_shape::json, n, false},
      {"S5 as released SDKs write it", type("application-json"), plain, chunk_shape::json, n, false},
      {"S5 metadata that says Perfetto", "", says_perfetto, chunk_shape::json, p, false},
      {"S5 meta_length null", ",\"meta_length\":null", plain, chunk_shape::json, n, false},
      {"S5 empty payload", "", "", chunk_shape::json, 0, false},
  };
  for (auto const& r : rows) {
    INFO(r.name);
    parsed_text const text(one_item(r.keys, r.payload));
    auto const taken = take_chunks(text.outcome().value());
    REQUIRE(taken.chunks.size() == 1);
    auto const& chunk = taken.chunks.front();
    CHECK(chunk.shape == r.shape);
    CHECK(chunk.metadata.text() == r.payload.substr(0, r.metadata_size));
    CHECK(chunk.trace.text() == r.payload.substr(r.metadata_size));
    CHECK(chunk.size() == r.payload.size());
    CHECK(chunk.known_from_metadata == r.known_from_metadata);
  }
}
