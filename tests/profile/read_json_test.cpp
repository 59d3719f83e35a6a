#include "profile/read_json.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "json_io.hpp"
#include "worked_example.hpp"

using namespace profile_relay::profile;
using nlohmann::json;

namespace {

struct refusal {
  const char* name;
  std::string from, to;
  std::string cause, what;  ///< what the error must say
};

const std::string example{worked_example};

/// A chunk with what a frame, an image or other part is replaced by.
std::string small(std::string_view frame = R"({"function":"f"})", std::string_view more = "") {
  return R"({"chunk_id":"0123456789abcdef0123456789abcdef","profiler_id":"fedcba9876543210fedcba9876543210",)"
         R"("platform":"python","version":"2",)" +
         std::string(more) +
         R"("profile":{"samples":[{"timestamp":1790000000.5,"stack_id":0,"thread_id":"1"},)"
         R"({"timestamp":1790000000.6,"stack_id":0,"thread_id":"1"}],"stacks":[[0]],"frames":[)" +
         std::string(frame) + R"(],"thread_metadata":{}}})";
}

}  // namespace

TEST_CASE("documents that no consumer could read are refused with the field's name") {
  const std::string first_sample = R"({"timestamp": 1790000000.0, "stack_id": 0, "thread_id": "4100"})";
  const auto sample = [&](std::string_view text) { return std::string(text); };
  const std::string id = R"("chunk_id": "0123456789abcdef0123456789abcdef")";
  const std::string sdk = R"({"name": "sentry.java.android", "version": "8.53.0"})";
  const std::string values = R"([{"timestamp": 1790000000.05, "value": 12.5}])";
  const std::string debug_id = R"("debug_id": "7f4a3eb0-885e-8d4c-a04b-05fa32cc4cbd", )";
  const std::string threads = R"({"4100": {"name": "main"}, "4117": {"name": "PriceWorker"}})";
  const std::string last_frame_addr = R"("instruction_addr": "0x7b20054ab0")";
  const std::vector<refusal> rows{
      {"numeric thread_id", first_sample, sample(R"({"timestamp": 1, "stack_id": 0, "thread_id": 4100})"),
       "wrong_type", "profile.samples[0].thread_id: "},
      {"empty thread_id", first_sample, sample(R"({"timestamp": 1, "stack_id": 0, "thread_id": ""})"),
       "bad_id", "profile.samples[0].thread_id: "},
      {"timestamp in ns", first_sample,
       sample(R"({"timestamp": 1790000000000000000, "stack_id": 0, "thread_id": "1"})"), "bad_timestamp",
       "profile.samples[0].timestamp: "},
      {"timestamp in ms", first_sample,
       sample(R"({"timestamp": 1790000000000.0, "stack_id": 0, "thread_id": "1"})"), "bad_timestamp",
       "profile.samples[0].timestamp: "},
      {"timestamp 0", first_sample, sample(R"({"timestamp": 0, "stack_id": 0, "thread_id": "1"})"),
       "bad_timestamp", "profile.samples[0].timestamp: "},
      {"timestamp below 0", first_sample, sample(R"({"timestamp": -1.5, "stack_id": 0, "thread_id": "1"})"),
       "bad_timestamp", "profile.samples[0].timestamp: "},
      {"timestamp as string", first_sample, sample(R"({"timestamp": "1", "stack_id": 0, "thread_id": "1"})"),
       "wrong_type", "profile.samples[0].timestamp: "},
      {"no timestamp", first_sample, sample(R"({"stack_id": 0, "thread_id": "1"})"), "missing_key",
       "profile.samples[0]: "},
      {"fractional stack_id", first_sample, sample(R"({"timestamp": 1, "stack_id": 0.5, "thread_id": "1"})"),
       "wrong_type", "profile.samples[0].stack_id: "},
      {"stack_id 0.0", first_sample, sample(R"({"timestamp": 1, "stack_id": 0.0, "thread_id": "1"})"),
       "wrong_type", "profile.samples[0].stack_id: "},
      {"negative stack_id", first_sample, sample(R"({"timestamp": 1, "stack_id": -1, "thread_id": "1"})"),
       "wrong_type", "profile.samples[0].stack_id: "},
      {"stack_id as string", first_sample, sample(R"({"timestamp": 1, "stack_id": "0", "thread_id": "1"})"),
       "wrong_type", "profile.samples[0].stack_id: "},
      {"stack_id twice", first_sample,
       sample(R"({"timestamp": 1, "stack_id": 0, "thread_id": "1", "stack_id": 1})"), "duplicate_key",
       "profile.samples[0].stack_id: "},
      {"sample that is no object", first_sample, "7", "wrong_type", "profile.samples[0]: "},
      {"negative frame index", "[[0, 1, 2]", "[[0, -1, 2]", "wrong_type", "profile.stacks[0]: "},
      {"fractional frame index", "[3, 4]", "[3, 4.5]", "wrong_type", "profile.stacks[1]: "},
      {"stack that is no array", "[[0, 1, 2]", "[{}", "wrong_type", "profile.stacks[0]: "},
      {"fractional lineno", R"({"function": "decode_price")", R"({"lineno": 1.5, "function": "decode_price")",
       "wrong_type", "profile.frames[0].lineno: "},
      {"negative colno", R"({"function": "decode_price")", R"({"column": -1, "function": "decode_price")",
       "wrong_type", "profile.frames[0].column: "},
      {"lineno over 32 bits", R"({"function": "decode_price")",
       R"({"lineno": 4294967296, "function": "decode_price")", "wrong_type", "profile.frames[0].lineno: "},
      {"in_app as number", R"({"function": "decode_price")", R"({"in_app": 1, "function": "decode_price")",
       "wrong_type", "profile.frames[0].in_app: "},
      {"function as number", R"({"function": "decode_price")", R"({"function": 5)", "wrong_type",
       "profile.frames[0].function: "},
      {"function under both names", R"({"function": "decode_price")",
       R"({"name": "a", "function": "decode_price")", "duplicate_key", "profile.frames[0].function: "},
      {"integer address", last_frame_addr, R"("instruction_addr": 4660)", "wrong_type",
       "profile.frames[4].instruction_addr: "},
      {"address without digits", last_frame_addr, R"("instruction_addr": "0x")", "bad_address",
       "profile.frames[4].instruction_addr: "},
      {"address of 17 digits", last_frame_addr, R"("instruction_addr": "0x10000000000000000")", "bad_address",
       "profile.frames[4].instruction_addr: "},
      {"address with more behind it", last_frame_addr, R"("instruction_addr": "0x12 ")", "bad_address",
       "profile.frames[4].instruction_addr: "},
      {"null thread_metadata", threads, "null", "wrong_type", "profile.thread_metadata: "},
      {"thread that is no object", threads, R"({"4100": "main"})", "wrong_type",
       "profile.thread_metadata[0]: "},
      {"thread name as number", threads, R"({"4100": {"name": 1}})", "wrong_type",
       "profile.thread_metadata[0].name: "},
      {"fractional priority", threads, R"({"4100": {"priority": 1.5}})", "wrong_type",
       "profile.thread_metadata[0].priority: "},
      {"priority over 31 bits", threads, R"({"4100": {"priority": 2147483648}})", "wrong_type",
       "profile.thread_metadata[0].priority: "},
      {"thread twice", threads, R"({"4100": {}, "4100": {}})", "duplicate_key",
       "profile.thread_metadata[1]: "},
      {"short id", id, R"("chunk_id": "0123")", "bad_id", "chunk_id: "},
      {"id that is no hex", id, R"("chunk_id": "x123456789abcdef0123456789abcdef")", "bad_id", "chunk_id: "},
      {"id as number", id, R"("chunk_id": 123)", "wrong_type", "chunk_id: "},
      {"no chunk_id", id, R"("dist": "x")", "missing_key", "chunk_id: "},
      {"no profiler_id", R"("profiler_id": )", R"("profiler": )", "missing_key", "profiler_id: "},
      {"no platform", R"("platform": "android",)", "", "missing_key", "platform: "},
      {"empty platform", R"("platform": "android",)", R"("platform": "",)", "empty_platform", "platform: "},
      {"platform twice", R"("platform": "android",)", R"("platform": "android", "platform": "cocoa",)",
       "duplicate_key", "platform: "},
      {"version as number", R"("version": "2")", R"("version": 2)", "wrong_type", "version: "},
      {"another version", R"("version": "2")", R"("version": "3")", "wrong_version", "version: "},
      {"release as number", R"("shop@4.2.0+118")", "4", "wrong_type", "release: "},
      {"client_sdk without version", sdk, R"({"name": "x"})", "missing_key", "client_sdk: "},
      {"client_sdk without name", sdk, R"({"version": "x"})", "missing_key", "client_sdk: "},
      {"client_sdk with null", sdk, R"({"name": null, "version": "x"})", "wrong_type", "client_sdk.name: "},
      {"client_sdk as string", sdk, R"("x")", "wrong_type", "client_sdk: "},
      {"measurement of strings", values, R"([{"timestamp": 1790000000.05, "value": "12.5"}])", "wrong_type",
       "measurements[0].values[0].value: "},
      {"measurement without value", values, R"([{"timestamp": 1790000000.05}])", "missing_key",
       "measurements[0].values[0]: "},
      {"measurement without unit", R"("unit": "percent", )", "", "missing_key", "measurements[0]: "},
      {"measurement as string",
       R"({"unit": "percent", "values": [{"timestamp": 1790000000.05, "value": 12.5}]})", R"("12")",
       "wrong_type", "measurements[0]: "},
      {"measurement time below 0", values, R"([{"timestamp": -1, "value": 1}])", "bad_timestamp",
       "measurements[0].values[0].timestamp: "},
      {"elapsed_since_start_ns as fraction", values,
       R"([{"timestamp": 1, "value": 1, "elapsed_since_start_ns": 1.5}])", "wrong_type",
       "measurements[0].values[0].elapsed_since_start_ns: "},
      {"measurement twice", R"({"cpu_usage": )",
       R"({"cpu_usage": {"unit": "x", "values": []}, "cpu_usage": )", "duplicate_key", "measurements[1]: "},
      {"image without debug_id", debug_id, "", "missing_key", "debug_meta.images[1].debug_id: "},
      {"image with null debug_id", debug_id, R"("debug_id": null, )", "missing_key",
       "debug_meta.images[1].debug_id: "},
      {"image with a bad debug_id", debug_id, R"("debug_id": "7f4a", )", "bad_id",
       "debug_meta.images[1].debug_id: "},
      {"image without address", R"("image_addr": "0x7a10000000", )", "", "missing_key",
       "debug_meta.images[1].image_addr: "},
      {"image of unknown type", R"("type": "symbolic")", R"("type": "perfetto")", "unknown_image_type",
       "debug_meta.images[1].type: "},
      {"image without type", R"("type": "symbolic",)", "", "missing_key", "debug_meta.images[1].type: "},
      {"proguard without uuid", R"(, "uuid": "4f2d1c86-6a0b-4b7e-9a51-0c6f2b6a7d11")", "", "missing_key",
       "debug_meta.images[0].uuid: "},
      {"fractional image_size", R"("image_size": 65536)", R"("image_size": 1.5)", "wrong_type",
       "debug_meta.images[1].image_size: "},
      {"image_size in words", R"("image_size": 65536)", R"("image_size": "64k")", "wrong_type",
       "debug_meta.images[1].image_size: "},
      {"no samples key", R"("samples": [)", R"("sample": [)", "missing_key", "profile.samples: "},
      {"no stacks key", R"("stacks": [)", R"("stack": [)", "missing_key", "profile.stacks: "},
      {"no frames key", R"("frames": [)", R"("frame": [)", "missing_key", "profile.frames: "},
      {"frames as object", R"("stacks": [[0, 1, 2], [3, 4], [2]])", R"("stacks": {})", "wrong_type",
       "profile.stacks: "},
      {"no profile", R"("profile": {)", R"("profiles": {)", "missing_key", "profile: "},
  };
  for (const auto& r : rows) {
    INFO(r.name);
    const auto c = read(with(example, r.from, r.to));
    REQUIRE_FALSE(c);
    CHECK(c.error().code == errc::invalid_json);
    CHECK(c.error().cause == r.cause);
    CHECK_THAT(c.error().what, Catch::Matchers::StartsWith(r.what));
  }
}

TEST_CASE("texts that are not one JSON object are refused") {
  struct row {
    std::string text;
    std::string cause;
  };
  std::string deep = "{\"x\":";
  for (int i = 0; i < 64; ++i) deep += '[';
  deep += '1';
  for (int i = 0; i < 64; ++i) deep += ']';
  deep += '}';
  for (const auto& r : {
           row{"", "empty"},
           row{"  ", "empty"},
           row{"[]", "not_an_object"},
           row{"null", "not_an_object"},
           row{"{", "json_syntax"},
           row{"{\"a\":NaN}", "json_syntax"},
           row{"{\"a\":1e999}", "json_syntax"},
           row{"{} {}", "json_syntax"},
           row{"{\"a\":\"\xff\"}", "json_not_utf8"},
           row{deep, "json_too_deep"},
       }) {
    INFO(r.text);
    const auto c = read(r.text);
    REQUIRE_FALSE(c);
    CHECK(c.error().code == errc::invalid_json);
    CHECK(c.error().cause == r.cause);
  }
}

TEST_CASE("depth counts levels: the limit itself passes") {
  const auto nested = [](int levels) {  // in an unknown key; the root is one level
    std::string more = "\"x\":";
    for (int i = 1; i < levels; ++i) more += '[';
    more += '1';
    for (int i = 1; i < levels; ++i) more += ']';
    return small(R"({"function":"f"})", more + ",");
  };
  CHECK(read(nested(64)));
  const auto c = read(nested(65));
  REQUIRE_FALSE(c);
  CHECK(c.error().cause == "json_too_deep");
}

TEST_CASE("what SDKs really send is accepted") {
  SECTION("empty and null parts, as the Node SDK writes them") {
    const auto out = json::parse(read_and_write(small(
        R"({"function":null,"lineno":null,"in_app":null,"instruction_addr":null})",
        R"("environment":"","debug_meta":{"images":[]},"measurements":{},"release":null,"client_sdk":null,)"
        R"("content_type":null,"dist":5,"options":{"a":[1]},"timestamp":"whatever",)")));
    CHECK(out["environment"] == "");
    CHECK(out["release"].is_null());
    for (const auto* gone :
         {"debug_meta", "measurements", "client_sdk", "content_type", "dist", "options", "timestamp"})
      CHECK_FALSE(out.contains(gone));
    CHECK(out["profile"]["frames"][0] == json::object());
  }
  SECTION("null for whole parts") {
    const auto out = json::parse(read_and_write(small("{}", R"("debug_meta":null,"measurements":null,)")));
    CHECK_FALSE(out.contains("debug_meta"));
    CHECK_FALSE(out.contains("measurements"));
  }
  SECTION("an absent release is written as null") {
    CHECK(json::parse(read_and_write(small()))["release"].is_null());
  }
  SECTION("ids with dashes and in upper case") {
    const auto out = json::parse(read_and_write(
        with(small(), "0123456789abcdef0123456789abcdef", "01234567-89AB-CDEF-0123-456789ABCDEF")));
    CHECK(out["chunk_id"] == "0123456789abcdef0123456789abcdef");
  }
  SECTION("no thread_metadata becomes an empty one") {
    const auto out = json::parse(read_and_write(with(small(), R"(,"thread_metadata":{})", "")));
    CHECK(out["profile"]["thread_metadata"] == json::object());
  }
  SECTION("metadata of threads: kept with samples, even empty; gone without") {
    const auto out = json::parse(read_and_write(
        with(small(), R"("thread_metadata":{})",
             R"("thread_metadata":{"1":{"name":null,"priority":-5,"x":1},"2":{"name":"no sample"}})")));
    CHECK(out["profile"]["thread_metadata"] == json::parse(R"({"1":{"priority":-5}})"));
  }
  SECTION("integer timestamps") {
    CHECK_THAT(read_and_write(with(small(), "1790000000.5", "1790000000")),
               Catch::Contains(R"({"timestamp":1790000000.0,)"));
  }
  SECTION("addresses with capitals, padding, or in decimal") {
    for (const auto* text : {"0X00001A2b", "0x1a2B", "6699"})
      CHECK_THAT(read_and_write(small(std::string(R"({"instruction_addr":")") + text + "\"}")),
                 Catch::Contains(R"("instruction_addr":"0x1a2b")"));
  }
  SECTION("unknown keys of frames are dropped") {
    CHECK(json::parse(read_and_write(
              small(R"({"function":"f","data":{"a":1},"sym_addr":"0x1"})")))["profile"]["frames"] ==
          json::parse(R"([{"function":"f"}])"));
  }
}

TEST_CASE("input aliases are written under their real names") {
  CHECK(json::parse(read_and_write(
            small(R"({"name":"f","file":"a.c","line":7,"column":2})")))["profile"]["frames"][0] ==
        json::parse(R"({"function":"f","filename":"a.c","lineno":7,"colno":2})"));

  const auto image = [](std::string_view text) {
    const auto out = read_and_write(small("{}", "\"debug_meta\":{\"images\":[" + std::string(text) + "]},"));
    return json::parse(out)["debug_meta"]["images"][0];
  };
  CHECK(
      image(R"({"type":"macho","name":"app","id":"7F4A3EB0885E8D4CA04B05FA32CC4CBD1","image_addr":"0x10",)"
            R"("image_size":"4096"})") ==
      json::parse(R"({"type":"macho","code_file":"app","debug_id":"7f4a3eb0-885e-8d4c-a04b-05fa32cc4cbd-1",)"
                  R"("image_addr":"0x10","image_size":4096})"));
  CHECK(image(R"({"type":"proguard","build_id":"4F2D1C866A0B4B7E9A510C6F2B6A7D11"})") ==
        json::parse(R"({"type":"proguard","uuid":"4f2d1c86-6a0b-4b7e-9a51-0c6f2b6a7d11"})"));
  CHECK(image(R"({"type":"jvm","debug_id":"4f2d1c86-6a0b-4b7e-9a51-0c6f2b6a7d11","image_size":0})") ==
        json::parse(R"({"type":"jvm","debug_id":"4f2d1c86-6a0b-4b7e-9a51-0c6f2b6a7d11"})"));
}

TEST_CASE("keys come out in the order of the specification") {
  CHECK_THAT(
      read_and_write(
          small(R"({"platform":"p","package":"k","module":"m","lineno":1,"instruction_addr":"0x1",)"
                R"("in_app":true,"function":"f","filename":"n","colno":2,"abs_path":"a"})")),
      Catch::Contains(R"({"abs_path":"a","colno":2,"filename":"n","function":"f","in_app":true,)"
                      R"("instruction_addr":"0x1","lineno":1,"module":"m","package":"k","platform":"p"})"));
  CHECK_THAT(
      read_and_write(small("{}", R"("measurements":{"b":{"values":[{"elapsed_since_start_ns":"12","value":1,)"
                                 R"("timestamp":2},{"elapsed_since_start_ns":12,"value":1,"timestamp":2}],)"
                                 R"("unit":"hz"},"a":{"unit":"byte","values":[]}},)")),
      Catch::StartsWith(R"({"measurements":{"b":{"unit":"hz","values":[)"
                        R"({"timestamp":2.0,"value":1.0,"elapsed_since_start_ns":"12"},)"
                        R"({"timestamp":2.0,"value":1.0,"elapsed_since_start_ns":12}]},)"
                        R"("a":{"unit":"byte","values":[]}},"chunk_id":)"));
}

TEST_CASE("more frames than the limit are refused as too large") {
  read_limits lim;
  lim.max_frames = 2;
  CHECK(read(small("{},{}"), lim));
  const auto c = read(small("{},{},{}"), lim);
  REQUIRE_FALSE(c);
  CHECK(c.error().code == errc::exceed_size_limit);
  CHECK(c.error().cause == "too_many_frames");
}

TEST_CASE("client data counts as a profile when there is something in it") {
  const auto holds = [](std::string_view profile) {
    const profile_relay::envelope::padded_copy text("{\"profile\":" + std::string(profile) + "}");
    return holds_profile(*json_document::parse(text.view(), 64));
  };
  CHECK_FALSE(holds("null"));
  CHECK_FALSE(holds("{}"));
  CHECK_FALSE(holds(R"({"samples":[],"stacks":[],"frames":null,"x":1})"));
  CHECK(holds(R"({"samples":[{}]})"));
  CHECK(holds(R"({"stacks":[[]]})"));
  CHECK(holds(R"({"frames":[{}]})"));
  CHECK(holds(R"({"frames":5})"));
  CHECK(holds("[]"));
  const profile_relay::envelope::padded_copy none("{}");
  CHECK_FALSE(holds_profile(*json_document::parse(none.view(), 64)));
}
