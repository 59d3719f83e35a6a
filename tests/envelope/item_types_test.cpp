// One row for each row of ingestion contract 2, and of 3.5.

#include "envelope/item_types.hpp"

#include <catch2/catch.hpp>
#include <set>
#include <string>
#include <vector>

#include "envelope/raw_chunk.hpp"
#include "tests/envelope/parsed_text.hpp"

using namespace profile_relay::envelope;
using test::parsed_text;

TEST_CASE("what is done with each item type") {
  struct row {
    char const* type;
    item_kind kind;
  };
  std::vector<row> rows{
      {"profile_chunk", item_kind::chunk},
      {"profile_chunk_ui", item_kind::chunk},
      {"profile_chunk_data", item_kind::chunk_data},
      {"integration", item_kind::internal},
      {"", item_kind::unknown},
      {"something_new", item_kind::unknown},
      {"Profile_Chunk", item_kind::unknown},
      {"profile_chunk ", item_kind::unknown},
  };
  for (auto const* type :
       {"profile",      "trace_metric",   "event",    "transaction",   "attachment",   "user_report",
        "feedback",     "session",        "sessions", "client_report", "replay_event", "replay_recording",
        "replay_video", "check_in",       "log",      "span",          "otel_span",    "otel_traces_data",
        "statsd",       "metric_buckets", "security", "raw_security",  "nel",          "form_data",
        "unreal_report"}) {
    rows.push_back({type, item_kind::not_served});
  }
  for (auto const& r : rows) {
    INFO(r.type);
    auto const [kind, name] = classify(r.type);
    CHECK(kind == r.kind);
    CHECK(name == (r.kind == item_kind::not_served ? r.type : ""));
  }
}

TEST_CASE("items that are not chunks are counted by type, or without a name") {
  parsed_text const text(
      "{}\n"
      "{\"type\":\"event\"}\n{}\n"
      "{\"type\":\"profile_chunk\",\"platform\":\"android\"}\n{}\n"
      "{\"type\":\"session\"}\n{}\n"
      "{\"type\":\"mystery\"}\nx\n"
      "{\"type\":\"event\"}\n{}\n"
      "{\"type\":\"profile_chunk_ui\"}\n[]\n"
      "{\"type\":\"riddle\"}\nx\n");
  auto const taken = take_chunks(text.outcome().value());
  CHECK(taken.counts.not_served == std::map<std::string_view, std::uint64_t>{{"event", 2}, {"session", 1}});
  CHECK(taken.counts.unknown == 2);
  REQUIRE(taken.chunks.size() == 2);
  CHECK(taken.chunks[0].item_index == 1);
  CHECK(taken.chunks[0].platform == "android");
  CHECK(taken.chunks[0].metadata.text() == "{}");
  CHECK(taken.chunks[1].item_index == 5);
  CHECK_FALSE(taken.chunks[1].platform.has_value());
  CHECK(taken.chunks[1].metadata.text() == "[]");
}

TEST_CASE("with pairing off, profile_chunk_data is an unknown type") {
  parsed_text const text(
      "{}\n"
      "{\"type\":\"profile_chunk\"}\n{\"content_type\":\"perfetto\"}\n"
      "{\"type\":\"profile_chunk_data\"}\ntrace\n");
  auto const taken = take_chunks(text.outcome().value(), false);
  CHECK(taken.counts.unknown == 1);
  CHECK(taken.counts.data_orphaned == 0);
  REQUIRE(taken.chunks.size() == 1);
  CHECK(taken.chunks[0].shape == chunk_shape::json);
  CHECK(taken.chunks[0].trace.empty());
}

TEST_CASE("data category of a platform") {
  struct row {
    char const* platform;
    int id;
    char const* name;
  };
  for (auto const& r : std::vector<row>{{"cocoa", 26, "profile_chunk_ui"},
                                        {"android", 26, "profile_chunk_ui"},
                                        {"javascript", 26, "profile_chunk_ui"},
                                        {"python", 18, "profile_chunk"},
                                        {"node", 18, "profile_chunk"},
                                        {"native", 18, "profile_chunk"},
                                        {"Android", 18, "profile_chunk"},
                                        {"", 18, "profile_chunk"}}) {
    INFO(r.platform);
    auto const category = category_of_platform(r.platform);
    CHECK(static_cast<int>(category) == r.id);
    CHECK(category_name(category) == r.name);
  }
}
