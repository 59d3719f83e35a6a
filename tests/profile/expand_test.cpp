#include "profile/expand.hpp"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <random>
#include <sstream>

#include "json_io.hpp"
#include "worked_example.hpp"

using namespace profile_relay;
using namespace profile_relay::profile;
using envelope::chunk_shape;
using nlohmann::json;

namespace {

std::string file(std::string const& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  REQUIRE_FALSE(text.str().empty());
  return text.str();
}
std::string trace_named(std::string const& name) {
  return file(TEST_BUILD_DIR "/traces/" + name + ".pftrace");
}

const std::string metadata =
    R"({"chunk_id":"0123456789abcdef0123456789abcdef",)"
    R"("profiler_id":"fedcba9876543210fedcba9876543210","platform":"android",)"
    R"("version":"2","client_sdk":{"name":"sentry.java.android","version":"8.53.0"},)"
    R"("content_type":"application/x-perfetto-trace","release":"shop@1","unknown":[1]})";

/// One item and its buffers.
struct item {
  envelope::padded_copy metadata, trace;
  envelope::raw_chunk chunk;

  item(chunk_shape shape, std::optional<std::string> platform, std::string_view json_text,
       std::string_view trace_bytes = "")
      : metadata(json_text), trace(trace_bytes) {
    chunk.shape = shape;
    chunk.platform = std::move(platform);
    chunk.metadata = metadata.view();
    chunk.trace = trace.view();
  }
};

expand_outcome expand_perfetto(std::optional<std::string> platform, std::string_view json_text,
                               std::string_view trace_bytes, expand_limits const& lim = {}) {
  const item i(chunk_shape::perfetto, std::move(platform), json_text, trace_bytes);
  auto out = expand(i.chunk, lim);
  if (out.value) CHECK(out.value->raw_trace.data() == i.trace.view().bytes().data());
  return out;
}
expand_outcome expand_json(std::optional<std::string> platform, std::string_view json_text,
                           expand_limits const& lim = {}) {
  const item i(chunk_shape::json, std::move(platform), json_text);
  return expand(i.chunk, lim);
}

void check_refused(expand_outcome const& out, errc code, std::string_view cause) {
  REQUIRE_FALSE(out.value);
  CHECK(static_cast<int>(out.value.error().code) == static_cast<int>(code));
  CHECK(out.value.error().cause == cause);
  CHECK_FALSE(out.value.error().what.empty());
}

const std::string example{worked_example};

}  // namespace

TEST_CASE("a compound chunk becomes a payload, and keeps its trace") {
  const auto trace = trace_named("android_app");
  const auto out = expand_perfetto("android", metadata, trace);
  REQUIRE(out.value);
  auto const& e = *out.value;
  CHECK(e.chunk_id == "0123456789abcdef0123456789abcdef");
  CHECK(e.profiler_id == "fedcba9876543210fedcba9876543210");
  CHECK(e.platform == "android");
  CHECK(e.release == "shop@1");
  CHECK(e.environment.empty());
  CHECK(e.raw_trace.size() == trace.size());
  CHECK(e.raw_content_type == "application/x-perfetto-trace");
  const auto payload = json::parse(e.payload());
  CHECK(payload["content_type"] == "application/x-perfetto-trace");
  CHECK_FALSE(payload.contains("unknown"));
  CHECK(out.notes.emitted_samples == payload["profile"]["samples"].size());
  CHECK(out.notes.sample_records >=
        out.notes.emitted_samples + out.notes.decode[perfetto_decode::counter::single_sample_thread]);
  CHECK(out.notes.has_decode_counts);
  CHECK_FALSE(out.notes.client_sdk_missing);
  CHECK_FALSE(out.notes.any_loss());
  CHECK(out.chunk_id == e.chunk_id);
  CHECK(out.platform == "android");
}

TEST_CASE("shapes that carry no chunk") {
  const item split(chunk_shape::invalid_split, "android", metadata),
      pair(chunk_shape::unknown_pair, "android", metadata);
  check_refused(expand(split.chunk, {}), errc::invalid_sampled_profile, "invalid_split");
  check_refused(expand(pair.chunk, {}), errc::platform_not_supported, "unknown_pair");
}

TEST_CASE("C1: a Perfetto item without a platform in its header") {
  const auto out = expand_perfetto(std::nullopt, metadata, trace_named("android_app"));
  check_refused(out, errc::invalid_profile_type, "platform_missing");
  CHECK(out.platform == "android");
  CHECK(out.chunk_id == "0123456789abcdef0123456789abcdef");
  // Before C2.
  check_refused(expand_perfetto(std::nullopt, "{", "x"), errc::invalid_profile_type, "platform_missing");
}

TEST_CASE("C2: metadata or JSON that does not parse or lacks a key") {
  check_refused(expand_perfetto("android", "{", "x"), errc::invalid_json, "json_syntax");
  check_refused(expand_json("android", "{"), errc::invalid_json, "json_syntax");
  check_refused(expand_json("android", ""), errc::invalid_json, "empty");
  const auto out = expand_perfetto(
      "android", with(metadata, R"("profiler_id":"fedcba9876543210fedcba9876543210",)", ""), "x");
  check_refused(out, errc::invalid_json, "missing_key");
  CHECK(out.value.error().what == "profiler_id: is required");
  CHECK(out.chunk_id == "0123456789abcdef0123456789abcdef");
  check_refused(expand_perfetto("android", with(metadata, R"("version":"2",)", ""), "x"), errc::invalid_json,
                "missing_key");
  check_refused(expand_perfetto("android", with(metadata, R"("version":"2",)", R"("version":"1",)"), "x"),
                errc::invalid_json, "wrong_version");
  check_refused(expand_json("android", with(example, R"("version": "2")", R"("version": 2)")),
                errc::invalid_json, "wrong_type");
}

TEST_CASE("C2: metadata is bounded in size and depth") {
  const auto padded = [](std::size_t size) {
    auto text = metadata;
    text.insert(1, "\"pad\":\"\",");
    text.insert(8, size - text.size(), 'x');
    return text;
  };
  expand_limits lim;
  const auto trace = trace_named("android_app");
  CHECK(padded(1 << 20).size() == 1 << 20);
  CHECK(expand_perfetto("android", padded(1 << 20), trace).value);
  check_refused(expand_perfetto("android", padded((1 << 20) + 1), trace), errc::invalid_json,
                "metadata_too_large");

  std::string deep = R"("x":)" + std::string(64, '[') + "1" + std::string(64, ']') + ",";
  check_refused(expand_perfetto("android", std::string(metadata).insert(1, deep), trace), errc::invalid_json,
                "json_too_deep");
}

TEST_CASE("C3: the header's platform must be the payload's, to the letter") {
  for (const auto* header : {"cocoa", "Android", "", "android "}) {
    const auto out = expand_perfetto(header, metadata, "x");
    check_refused(out, errc::invalid_profile_type, "platform_mismatch");
    CHECK(out.platform == header);
    check_refused(expand_json(header, example), errc::invalid_profile_type, "platform_mismatch");
  }
}

TEST_CASE("C4: plain JSON without a platform in the header") {
  const auto out = expand_json(std::nullopt, example);
  REQUIRE(out.value);
  CHECK(out.notes.platform_from_payload);
  CHECK(out.platform == "android");
  CHECK(out.value->platform == "android");
  CHECK_FALSE(expand_json("android", example).notes.platform_from_payload);
}

TEST_CASE("C5: a profile in the metadata wins over the trace") {
  const auto trace = trace_named("android_app");
  const auto out = expand_perfetto("android", example, trace);
  REQUIRE(out.value);
  CHECK(out.notes.client_profile_kept);
  CHECK_FALSE(out.notes.has_decode_counts);
  CHECK(out.value->payload() == compact(worked_example));
  CHECK(out.value->raw_trace.size() == trace.size());

  for (const auto* empty : {"null", "{}", R"({"samples":[],"stacks":[],"frames":[]})"}) {
    const auto converted = expand_perfetto(
        "android", std::string(metadata).insert(1, "\"profile\":" + std::string(empty) + ","), trace);
    REQUIRE(converted.value);
    CHECK_FALSE(converted.notes.client_profile_kept);
    CHECK(converted.notes.has_decode_counts);
  }
  check_refused(
      expand_perfetto("android", std::string(metadata).insert(1, R"("profile":{"samples":[{}]},)"), trace),
      errc::invalid_json, "missing_key");
}

TEST_CASE("C6, C8: formats that are not served") {
  struct row {
    const char* name;
    std::string version, more;
    const char* platform;
    std::string cause;
  };
  for (const auto& r : {
           row{"C6: Android trace chunk", R"("version": "2")", R"("sampled_profile":"x",)", "android",
               "android_trace_chunk"},
           row{"C6: its own version", R"("version": "2.android-trace")", R"("sampled_profile":"x",)",
               "android", "android_trace_chunk"},
           row{"C8: version 1", R"("version": "1")", "", "android", "version_not_supported"},
           row{"C8: none", R"("dist": "2")", "", "android", "version_not_supported"},
           row{"C8: null", R"("version": null)", "", "android", "version_not_supported"},
           row{"C8: empty", R"("version": "")", "", "android", "version_not_supported"},
           row{"C8: unknown", R"("version": "3")", "", "android", "version_not_supported"},
           row{"C8: android-trace without sampled_profile", R"("version": "2.android-trace")", "", "android",
               "version_not_supported"},
           row{"C8: android-trace of another platform", R"("version": "2.android-trace")",
               R"("sampled_profile":"x",)", "cocoa", "version_not_supported"},
       }) {
    INFO(r.name);
    auto text = with(example, R"("version": "2")", r.version);
    text = with(text, R"("platform": "android")", "\"platform\": \"" + std::string(r.platform) + "\"");
    text.insert(1, r.more);
    check_refused(expand_json(r.platform, text), errc::platform_not_supported, r.cause);
    // Before C2 and C3.
    auto broken = with(text, R"("profiler_id": "fedcba9876543210fedcba9876543210",)", "");
    const auto out = expand_json("other", broken);
    check_refused(out, errc::platform_not_supported, r.cause);
    CHECK(out.chunk_id == "0123456789abcdef0123456789abcdef");
  }
  // sampled_profile means nothing elsewhere.
  auto cocoa = with(example, R"("platform": "android")", R"("platform": "cocoa")");
  cocoa.insert(1, R"("sampled_profile":"x",)");
  CHECK(expand_json("cocoa", cocoa).value);
}

TEST_CASE("C7: plain Sample v2 is normalised and passed on") {
  const auto out = expand_json("android", worked_example);
  REQUIRE(out.value);
  CHECK(out.value->payload() == compact(worked_example));
  CHECK(out.value->raw_trace.empty());
  CHECK(out.value->raw_content_type.empty());
  CHECK(out.value->environment == "production");
  CHECK(out.notes.emitted_samples == 5);
  CHECK_FALSE(out.notes.has_decode_counts);
  CHECK_FALSE(out.notes.any_loss());
}

TEST_CASE("client frames are never touched") {
  const auto native = with(with(example, R"("platform": "android")", R"("platform": "native")"),
                           "\"decode_price\"", "\"decode_price\", \"lineno\": 5");
  const auto out = expand_json("native", native);
  REQUIRE(out.value);
  CHECK(json::parse(out.value->payload())["profile"]["frames"] == json::parse(native)["profile"]["frames"]);
}

TEST_CASE("normalisation refuses with its own reasons") {
  const auto one_thread_each =
      with(with(example, R"("stack_id": 2, "thread_id": "4100")", R"("stack_id": 2, "thread_id": "a")"),
           R"({"timestamp": 1790000000.0198, "stack_id": 0, "thread_id": "4100"})",
           R"({"timestamp": 1790000000.0198, "stack_id": 0, "thread_id": "b"})");
  const auto some = expand_json("android", one_thread_each);
  REQUIRE(some.value);
  CHECK(some.notes.decode[perfetto_decode::counter::single_sample_thread] == 3);
  CHECK(some.notes.emitted_samples == 2);

  check_refused(expand_json("android", with(example, R"("stack_id": 2,)", R"("stack_id": 3,)")),
                errc::malformed_samples, "stack_id_out_of_range");
  check_refused(expand_json("android", with(example, "[3, 4]", "[3, 5]")), errc::malformed_stacks,
                "frame_index_out_of_range");
  check_refused(expand_json("android", with(example, "1790000000.0198", "1790000066.1")),
                errc::duration_is_too_long, "over_66_seconds");
}

TEST_CASE("client_sdk may be missing, which is told") {
  const auto out = expand_json(
      "android", with(example, R"("client_sdk": {"name": "sentry.java.android", "version": "8.53.0"},)", ""));
  REQUIRE(out.value);
  CHECK(out.notes.client_sdk_missing);
  CHECK_FALSE(json::parse(out.value->payload()).contains("client_sdk"));
}

TEST_CASE("raw_content_type is the metadata's own word for Perfetto, else the MIME name") {
  const auto trace = trace_named("android_app");
  struct row {
    const char *own, *raw, *payload;
  };
  for (const auto& r : {
           row{R"("content_type":"perfetto",)", "perfetto", "perfetto"},
           row{R"("content_type":"Application/X-Perfetto-Trace",)", "Application/X-Perfetto-Trace",
               "Application/X-Perfetto-Trace"},
           row{R"("content_type":"text/plain",)", "application/x-perfetto-trace", "text/plain"},
           row{R"("content_type":null,)", "application/x-perfetto-trace", nullptr},
           row{"", "application/x-perfetto-trace", nullptr},
       }) {
    const auto out = expand_perfetto(
        "android", with(metadata, R"("content_type":"application/x-perfetto-trace",)", r.own), trace);
    REQUIRE(out.value);
    CHECK(out.value->raw_content_type == r.raw);
    const auto payload = json::parse(out.value->payload());
    CHECK(payload.contains("content_type") == (r.payload != nullptr));
    if (r.payload) CHECK(payload["content_type"] == r.payload);
  }
}

TEST_CASE("traces that cannot be decoded") {
  const auto random = expand_perfetto("android", metadata, "this is no trace at all, whatever it is");
  check_refused(random, errc::invalid_sampled_profile, "trace_unreadable");
  CHECK(random.chunk_id == "0123456789abcdef0123456789abcdef");

  expand_limits lim;
  lim.decode.packets = 3;
  check_refused(expand_perfetto("android", metadata, trace_named("android_app"), lim),
                errc::exceed_size_limit, "trace_limit");
}

TEST_CASE("each part alone must be within max_profile_size, their sum need not") {
  const auto trace = trace_named("android_app");
  expand_limits lim;
  const auto payload = expand_perfetto("android", metadata, trace).value->text;
  const auto largest = std::max({payload.size(), trace.size(), metadata.size()});
  REQUIRE(payload.size() + trace.size() > largest);
  lim.max_profile_size = largest;
  CHECK(expand_perfetto("android", metadata, trace, lim).value);

  lim.max_profile_size = trace.size() - 1;
  check_refused(expand_perfetto("android", metadata, trace, lim), errc::exceed_size_limit, "item_too_large");
  lim.max_profile_size = example.size() - 1;
  check_refused(expand_json("android", example, lim), errc::exceed_size_limit, "item_too_large");
  lim.max_profile_size = 1790;
  check_refused(expand_json("android", compact(worked_example), lim), errc::exceed_size_limit,
                "item_too_large");
  // 5e-9 is written as 0.000000005: the JSON grows past the limit only by being written.
  const auto grows = with(compact(worked_example), "12.5", "5e-9");
  lim.max_profile_size = grows.size();
  check_refused(expand_json("android", grows, lim), errc::exceed_size_limit, "payload_too_large");
}

// Whatever arrives, the answer is a value; and what is accepted is a payload that passes our own checks again.
TEST_CASE("damaged chunks are refused or repaired, never more") {
  std::mt19937 random(11);
  const auto damage = [&](std::string text) {
    for (auto n = 1 + random() % 4; n > 0; --n) {
      const auto at = random() % text.size();
      switch (random() % 3) {
        case 0:
          text[at] = static_cast<char>(random());
          break;
        case 1:
          text.erase(at, 1 + random() % 8);
          break;
        default:
          text.insert(at, text.substr(random() % text.size(), 1 + random() % 16));
          break;
      }
      if (text.empty()) return text;
    }
    return text;
  };
  const auto trace = trace_named("android_app");
  const auto plain = compact(worked_example);
  int accepted = 0;
  for (int i = 0; i < 2000; ++i) {
    const auto out = i % 2 == 0 ? expand_perfetto("android", metadata, damage(trace))
                                : expand_json("android", damage(plain));
    if (!out.value) {
      CHECK_FALSE(out.value.error().cause.empty());
      continue;
    }
    ++accepted;
    const auto again = expand_json("android", out.value->payload());
    REQUIRE(again.value);
    CHECK(expand_json("android", again.value->payload()).value->payload() == again.value->payload());
    CHECK(again.notes.emitted_samples == out.notes.emitted_samples);
    CHECK(again.notes.decode[perfetto_decode::counter::single_sample_thread] == 0);
  }
  CHECK(accepted > 100);
  CHECK(accepted < 1900);
}

// The traces of tests/data/traces that say something about conversion, through decoder, converter and writer.
// PROFILE_RELAY_UPDATE_GOLDEN=1 rewrites the expectations: read the difference before committing it.
TEST_CASE("payloads of text traces") {
  using nlohmann::ordered_json;
  const bool update = std::getenv("PROFILE_RELAY_UPDATE_GOLDEN") != nullptr;
  for (const std::string name :
       {"android_app", "clock_default_monotonic_suspend", "clock_monotonic_and_realtime_only",
        "clock_realtime_set_back", "clock_unknown", "perf_unwind_error", "state_clear_redefines_iids",
        "streaming_more_stacks_than_deltas"}) {
    INFO(name);
    const auto out = expand_perfetto("android", metadata, trace_named(name));
    const auto actual =
        out.value ? ordered_json::parse(out.value->payload())
                  : ordered_json{{"refused", out.value.error().cause}, {"what", out.value.error().what}};
    const auto path = TEST_DATA_DIR "/payloads/" + name + ".json";
    if (update) std::ofstream(path) << actual.dump(1) << '\n';
    CHECK(actual == ordered_json::parse(file(path)));
  }
}
