#include "sdk/transport/envelope_text.hpp"

#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "envelope/raw_chunk.hpp"
#include "profile/expand.hpp"

using namespace profile_relay;
using namespace profile_relay::sdk;
using namespace std::string_literals;
using nlohmann::json;

namespace {

client_sdk const who{"some.client", "1.2.3"};

profile_chunk example(std::string trace) {
  return {.profiler_id = "fedcba9876543210fedcba9876543210",
          .chunk_id = "0123456789abcdef0123456789abcdef",
          .release = "shop@1",
          .environment = "production",
          .trace = std::move(trace)};
}

std::string joined(envelope_text const& text) { return text.before + std::string(text.trace) + text.after; }

/// What the server makes of an envelope.
struct parsed {
  envelope::padded_copy bytes;
  envelope::result<envelope::parsed_envelope> value;
  explicit parsed(std::string const& text) : bytes(text), value(envelope::parse(bytes.view())) {
    REQUIRE(value.has_value());
  }
};

}  // namespace

TEST_CASE("the server reads the chunk out of the envelope") {
  auto const chunk = example("\x0a\x01\n\n{}\n\0\xff\n"s);
  parsed const p(joined(build_envelope(chunk, who, {}, 0)));
  CHECK(p.value->header.event_id == chunk.chunk_id);
  REQUIRE(p.value->items.size() == 1);
  auto const& header = p.value->items[0].header;
  CHECK(header.type == "profile_chunk");
  CHECK(header.content_type == "application/x-perfetto-trace");

  auto const taken = envelope::take_chunks(*p.value, false);
  REQUIRE(taken.chunks.size() == 1);
  auto const& got = taken.chunks[0];
  bool const perfetto = got.shape == envelope::chunk_shape::perfetto;
  CHECK(perfetto);
  CHECK_FALSE(got.known_from_metadata);
  CHECK(got.platform == "native");
  CHECK(got.trace.text() == chunk.trace);
  CHECK(json::parse(got.metadata.text()) ==
        json{{"version", "2"},
             {"platform", "native"},
             {"profiler_id", chunk.profiler_id},
             {"chunk_id", chunk.chunk_id},
             {"client_sdk", {{"name", "some.client"}, {"version", "1.2.3"}}},
             {"content_type", "application/x-perfetto-trace"},
             {"release", "shop@1"},
             {"environment", "production"}});
  CHECK(envelope::category_name(envelope::category_of_platform(*got.platform)) == "profile_chunk");
}

TEST_CASE("a chunk with a real trace expands") {
  std::ifstream in(TEST_BUILD_DIR "/traces/android_app.pftrace", std::ios::binary);
  auto const chunk = example({std::istreambuf_iterator<char>(in), {}});
  REQUIRE_FALSE(chunk.trace.empty());
  parsed const p(joined(build_envelope(chunk, who, {}, 0)));
  auto const taken = envelope::take_chunks(*p.value);
  REQUIRE(taken.chunks.size() == 1);
  auto const out = profile::expand(taken.chunks[0], {});
  REQUIRE(out.value.has_value());
  CHECK(out.value->chunk_id == chunk.chunk_id);
  CHECK(out.value->profiler_id == chunk.profiler_id);
  CHECK(out.value->release == "shop@1");
  CHECK(out.value->environment == "production");
  CHECK(out.value->platform == "native");
  CHECK_FALSE(out.notes.client_sdk_missing);
}

TEST_CASE("metadata of odd values") {
  auto chunk = example("t");
  chunk.release = "a\"b\\\n\x01";
  chunk.environment = "caf\xe9";
  auto const read = json::parse(chunk_metadata(chunk, who));
  CHECK(read["release"] == chunk.release);
  CHECK(read["environment"] == "caf\xef\xbf\xbd");
  chunk.release.clear();
  chunk.environment.clear();
  auto const without = json::parse(chunk_metadata(chunk, who));
  CHECK_FALSE(without.contains("release"));
  CHECK_FALSE(without.contains("environment"));
}

TEST_CASE("a client report travels behind the chunk") {
  discard_counts counts;
  counts[discard_reason::send_error] = 2;
  counts[discard_reason::ratelimit_backoff] = 7;
  parsed const p(joined(build_envelope(example("t"), who, counts, 1795608000)));
  REQUIRE(p.value->items.size() == 2);
  CHECK(p.value->items[1].header.type == "client_report");
  CHECK(json::parse(p.value->items[1].payload.text()) ==
        json{{"timestamp", 1795608000},
             {"discarded_events",
              {{{"reason", "send_error"}, {"category", "profile_chunk"}, {"quantity", 2}},
               {{"reason", "ratelimit_backoff"}, {"category", "profile_chunk"}, {"quantity", 7}}}}});
  // The server parses past it and keeps the chunk.
  CHECK(envelope::take_chunks(*p.value).chunks.size() == 1);
  CHECK(envelope::take_chunks(*p.value).counts.not_served.at("client_report") == 1);
}
