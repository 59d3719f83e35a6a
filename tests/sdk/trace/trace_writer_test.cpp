// What the writer writes, read back by our own decoder; tests/sdk/trace/compare_with_official.py reads it with the
// official schema.
#include "sdk/trace/trace_writer.hpp"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <map>

#include "perfetto_decode/decoded_trace.hpp"
#include "perfetto_decode/utf8.hpp"
#include "sdk/trace/text.hpp"
#include "tests/perfetto_decode/dump.hpp"

namespace sdk = profile_relay::sdk;
namespace pd = profile_relay::perfetto_decode;
using nlohmann::json;

namespace {

// Two images; functions are named by the hundreds of their address.
class two_images final : public sdk::address_source {
 public:
  two_images() {
    first = {0x1000, 0x2000, 0x1000, "/opt//app/./first", std::string("\x01\x02\xff\x00\x05", 5)};
    second = {0x8000, 0x9000, 0x8000, "second.so", ""};
  }
  bool refresh() override {
    ++looks;
    return std::exchange(changed, false);
  }
  sdk::located_address locate(std::uintptr_t address) override {
    ++located;
    auto const* image = address >= 0x8000 && address < 0x9000 ? &second : &first;
    if (address < image->start || address >= image->end) return {};
    text = address % 0x100 == 0xff ? "" : prefix + std::to_string(address / 0x100);
    return {image == &second ? 2u + epoch : 1u, image, text};
  }

  sdk::loaded_image first, second;
  std::string prefix = "f", text;
  std::uint64_t epoch = 0;
  bool changed = false;
  int looks = 0, located = 0;
};

class name_table final : public sdk::name_source {
 public:
  std::string thread_name(std::int32_t tid) override {
    ++asked;
    return names[tid];
  }
  std::map<std::int32_t, std::string> names{{77, "main"}, {78, "worker"}};
  int asked = 0;
};

constexpr std::int64_t second = 1'000'000'000;
constexpr sdk::clock_reading begin{1'000 * second, 1'700'000'000 * second, 900 * second};

sdk::clock_reading after(std::int64_t ns) {
  return {begin.boottime_ns + ns, begin.realtime_ns + ns, begin.monotonic_ns + ns};
}

sdk::stack_sample sample_at(std::int64_t ns, std::int32_t tid,
                            std::vector<std::uintptr_t> const& leaf_first) {
  sdk::stack_sample s;
  s.boottime_ns = begin.boottime_ns + ns;
  s.tid = tid;
  s.depth = static_cast<std::uint16_t>(leaf_first.size());
  std::copy(leaf_first.begin(), leaf_first.end(), s.pcs.begin());
  return s;
}

pd::decoded_trace decoded(std::string const& trace) {
  auto d = pd::decode(std::as_bytes(std::span(trace)));
  if (!d) FAIL(d.error().what);
  return std::move(d.value());
}

json dumped(std::string const& trace) { return pd::testing::dump(decoded(trace)); }

struct fixture {
  two_images images;
  name_table names;
  sdk::trace_writer writer{begin, {77, "demo"}, images, names};
};

}  // namespace

TEST_CASE_METHOD(fixture, "samples come back with their stacks, times and names") {
  writer.append(sample_at(10, 77, {0x1234, 0x1501, 0x8300}));
  writer.append(sample_at(20, 78, {0x8200, 0x1500}));
  auto const got = dumped(writer.finish(after(second)));
  auto const id = "0102ff0005";
  auto const in_first = [&](int function, std::uint64_t pc) {
    return json{{"function", "f" + std::to_string(function)},
                {"mapping", "/opt/app/./first"},
                {"build_id", id},
                {"start", 0x1000},
                {"end", 0x2000},
                {"pc", pc},
                {"rel_pc", pc - 0x1000}};
  };
  auto const in_second = [&](int function, std::uint64_t pc) {
    return json{{"function", "f" + std::to_string(function)},
                {"mapping", "/second.so"},
                {"start", 0x8000},
                {"end", 0x9000},
                {"pc", pc},
                {"rel_pc", pc - 0x8000}};
  };
  // Callers one before their return address: 0x1501 belongs to f21, 0x1500 to f20, 0x8300 to f130.
  json const expected = {{{"trace_time", begin.boottime_ns + 10},
                          {"wall_time", begin.realtime_ns + 10},
                          {"pid", 77},
                          {"tid", 77},
                          {"thread", "main"},
                          {"process", "demo"},
                          {"stack",
                           {in_first(0x12, 0x1234),
                            in_first(0x15, 0x1500),
                            {{"mapping", "/second.so"},
                             {"start", 0x8000},
                             {"end", 0x9000},
                             {"pc", 0x82ff},
                             {"rel_pc", 0x2ff}}}}},
                         {{"trace_time", begin.boottime_ns + 20},
                          {"wall_time", begin.realtime_ns + 20},
                          {"pid", 77},
                          {"tid", 78},
                          {"thread", "worker"},
                          {"process", "demo"},
                          {"stack",
                           {in_second(0x82, 0x8200),
                            {{"mapping", "/opt/app/./first"},
                             {"build_id", id},
                             {"start", 0x1000},
                             {"end", 0x2000},
                             {"pc", 0x14ff},
                             {"rel_pc", 0x4ff}}}}}};
  CHECK(got["samples"] == expected);
  CHECK(got["counters"].empty());
}

TEST_CASE_METHOD(fixture, "addresses of no image are one frame without an address") {
  writer.append(sample_at(10, 77, {0x50, 0x7000'0000, 0x1234}));
  auto const got = dumped(writer.finish(after(second)));
  auto const stack = got["samples"][0]["stack"];
  REQUIRE(stack.size() == 3);
  CHECK(stack[0] == json{{"function", "[unknown]"}});
  CHECK(stack[1] == stack[0]);
}

TEST_CASE_METHOD(fixture, "size() is what finish() returns") {
  std::int64_t const lengthen = GENERATE(as<std::int64_t>{}, 0, 1, 57, 3'000);
  for (std::int64_t i = 0; i < lengthen; ++i)
    writer.append(sample_at(i * 10'000'000, static_cast<std::int32_t>(77 + i % 2),
                            {0x1000 + static_cast<std::uintptr_t>(i) % 900, 0x1500}));
  auto const said = writer.size();
  CHECK(writer.samples() == static_cast<std::uint64_t>(lengthen));
  CHECK(writer.finish(after(std::max<std::int64_t>(lengthen - 1, 0) * 10'000'000)).size() == said);
}

TEST_CASE_METHOD(fixture, "a stack is interned once, a repeated sample costs few bytes") {
  writer.append(sample_at(10, 77, {0x1234, 0x1501}));
  auto const first = writer.size();
  writer.append(sample_at(20, 77, {0x1234, 0x1501}));
  auto const located = images.located;
  CHECK(writer.size() - first <= 32);
  writer.append(sample_at(30, 78, {0x1240, 0x1601}));
  writer.append(sample_at(40, 77, {0x1240, 0x1601}));
  CHECK(images.located == located + 2);
  auto const d = decoded(writer.finish(after(second)));
  CHECK(d.stacks.size() == 2);
  CHECK(d.samples.size() == 4);
}

TEST_CASE_METHOD(fixture, "each trace is complete by itself") {
  sdk::trace_writer next(after(second), {77, "demo"}, images, names);
  for (auto* const w : {&writer, &next}) w->append(sample_at(second, 77, {0x1234, 0x1501}));
  auto const one = dumped(writer.finish(after(2 * second))), two = dumped(next.finish(after(2 * second)));
  CHECK(one["samples"] == two["samples"]);
  CHECK(two["samples"][0]["thread"] == "main");
}

TEST_CASE_METHOD(fixture, "a thread's new name is written again, an ended thread keeps its name") {
  writer.append(sample_at(0, 78, {0x1234}));
  names.names[78] = "renamed";
  writer.append(sample_at(second / 2, 78, {0x1234}));
  CHECK(names.asked == 1);
  writer.append(sample_at(second, 78, {0x1234}));
  names.names[78] = "";
  writer.append(sample_at(3 * second, 78, {0x1234}));
  CHECK(names.asked == 3);
  auto const got = dumped(writer.finish(after(4 * second)));
  CHECK(got["samples"][3]["thread"] == "renamed");
}

TEST_CASE_METHOD(fixture, "an address that means another image after dlopen() is located again") {
  writer.append(sample_at(0, 77, {0x8234, 0x1501}));
  images.epoch = 1;
  images.second.path = "/other.so";
  images.prefix = "g";
  images.changed = true;
  writer.append(sample_at(10'000'000, 77, {0x8234, 0x1501}));
  auto const got = dumped(writer.finish(after(second)));
  CHECK(got["samples"][0]["stack"][0]["mapping"] == "/second.so");
  CHECK(got["samples"][0]["stack"][0]["function"] == "f130");
  CHECK(got["samples"][1]["stack"][0]["mapping"] == "/other.so");
  CHECK(got["samples"][1]["stack"][0]["function"] == "g130");
  // The image that stayed has the frame that it had.
  CHECK(got["samples"][0]["stack"][1] == got["samples"][1]["stack"][1]);
}

TEST_CASE_METHOD(fixture, "a path of more than 100 parts keeps its last 100") {
  images.second.path.clear();
  for (int i = 0; i < 130; ++i) images.second.path += "//p" + std::to_string(i);
  writer.append(sample_at(0, 77, {0x8234}));
  auto const got = dumped(writer.finish(after(second)));
  std::string expected;
  for (int i = 30; i < 130; ++i) expected += "/p" + std::to_string(i);
  CHECK(got["samples"][0]["stack"][0]["mapping"] == expected);
  CHECK(got["counters"].empty());
}

TEST_CASE("interned data stays bounded: a new interval begins, and every stack still resolves") {
  two_images images;
  name_table names;
  std::size_t const limit = 20'000;
  sdk::trace_writer writer(begin, {77, "demo"}, images, names, {limit, 15'000});
  std::vector<std::vector<std::uintptr_t>> stacks;
  for (std::uintptr_t i = 0; i < 2'000; ++i) {
    stacks.push_back({0x1000 + i % 250 * 13, 0x1101 + i * 7 % 0xe00, 0x8001 + i * 3 % 0xf00});
    writer.append(sample_at(static_cast<std::int64_t>(i) * 1'000, 77, stacks.back()));
  }
  auto const trace = writer.finish(after(second));
  auto const d = decoded(trace);
  REQUIRE(d.samples.size() == stacks.size());
  for (std::size_t i = 0; i < stacks.size(); ++i) {
    auto const frames = d.stacks[d.samples[i].stack].frames();
    REQUIRE(frames.size() == 3);
    for (std::size_t j = 0; j < 3; ++j) {
      auto const& f = d.frames[frames[j]];
      REQUIRE(d.mappings[f.mapping].pc(f.rel_pc) == stacks[i][j] - (j == 0 ? 0 : 1));
    }
  }
  // Flag 1 of a packet, on sequence 1: 2,000 stacks at 64 bytes each are at least six intervals.
  std::size_t intervals = 0;
  std::string const cleared("\x50\x01\x68\x01", 4);
  for (std::size_t at = 0; (at = trace.find(cleared, at)) != std::string::npos; ++at) ++intervals;
  CHECK(intervals >= 6);
}

TEST_CASE("90,000 samples of 90,000 threads stay below a reader's limits") {
  two_images images;
  name_table names;
  sdk::trace_writer writer(begin, {77, "demo"}, images, names);
  for (std::int32_t i = 0; i < 90'000; ++i) writer.append(sample_at(i, 1'000 + i, {0x1234}));
  auto const d = decoded(writer.finish(after(second)));
  CHECK(d.samples.size() == 90'000);
  CHECK(d.packets < 110'000);
}

TEST_CASE("the deepest stacks, all different, stay below a reader's limits") {
  two_images images;
  name_table names;
  sdk::trace_writer writer(begin, {77, "demo"}, images, names);
  std::uint64_t random = 1;
  std::vector<std::uintptr_t> pcs(sdk::max_depth);
  // To the size at which a chunk is cut.
  while (writer.samples() < 90'000 && writer.size() < (std::size_t{40} << 20) && !writer.full()) {
    for (auto& pc : pcs) {
      random = random * 6364136223846793005u + 1442695040888963407u;
      pc = 0x1001 + (random >> 33) % 0xffe;
    }
    writer.append(sample_at(static_cast<std::int64_t>(writer.samples()), 77, pcs));
  }
  auto const count = writer.samples();
  auto const trace = writer.finish(after(second));
  auto const d = pd::decode(std::as_bytes(std::span(trace)));
  INFO(count << " samples, " << trace.size() << " bytes");
  if (!d) FAIL(d.error().what);
  CHECK(count > 50'000);
  CHECK(d.value().samples.size() == count);
}

TEST_CASE("the factory writes this process") {
  auto const factory = sdk::make_trace_builder_factory();
  auto const trace = factory->begin(begin);
  auto const here = reinterpret_cast<std::uintptr_t>(&sdk::readable_text);
  auto const self = static_cast<std::int32_t>(::gettid());
  trace->append(sample_at(0, self, {here, here + 1}));
  auto const got = dumped(trace->finish(after(second)));
  auto const& sample = got["samples"][0];
  CHECK(sample["pid"] == ::getpid());
  CHECK(sample["tid"] == self);
  CHECK(sample["thread"].get<std::string>() == std::string("sdk_trace_test").substr(0, 15));
  CHECK(sample["process"] == sample["thread"]);
  for (auto const& frame : sample["stack"]) {
    CHECK(frame["pc"] == here);
    CHECK(frame["function"].get<std::string>().find("readable_text") != std::string::npos);
    CHECK(frame["mapping"].get<std::string>().ends_with("sdk_trace_test"));
    CHECK(frame["build_id"].get<std::string>().size() == 40);
  }
}
