#include <catch2/catch.hpp>

#include "converted.hpp"

using namespace profile_relay;
using nlohmann::json;

namespace {
const std::string build_id("\xb0\x3e\x4a\x7f\x5e\x88\x4c\x8d\xa0\x4b\x05\xfa\x32\xcc\x4c\xbd\x69\xfa\xff\x51",
                           20);
}

TEST_CASE("addresses are true program counters") {
  trace_builder b;
  SECTION("of a mapping with a range, modulo 2^64") {
    const auto in_apk = b.mapping("/data/app/base.apk!libfoo.so");
    auto& m = b.trace.mappings[in_apk];
    m.start = 0x100000;
    m.end = 0x200000;
    m.exact_offset = 0x5000;
    m.start_offset = 0x4000;
    m.load_bias = 0x1000;
    const auto frames = frames_of(b, {b.frame("f", in_apk, 0x2345), b.frame("g", in_apk, ~0ULL)});
    CHECK(frames[0]["instruction_addr"] == "0x100345");
    CHECK(frames[1]["instruction_addr"] == "0xfdfff");
  }
  SECTION("without a range but with a build id: relative to the module") {
    const auto chrome = b.mapping("/opt/chrome", "3BBCFBD372448A727265C3E7C4D954F91");
    b.trace.mappings[chrome].start = b.trace.mappings[chrome].end = 0;
    const auto frames = frames_of(b, {b.frame("", chrome, 0x2345), b.frame("named", chrome)});
    CHECK(frames[0]["instruction_addr"] == "0x2345");
    CHECK_FALSE(frames[1].contains("instruction_addr"));
  }
  SECTION("without a range and without an id: none") {
    for (const auto* id : {"", "missing", "system"}) {
      trace_builder each;
      const auto nowhere = each.mapping("/opt/chrome", id);
      each.trace.mappings[nowhere].start = each.trace.mappings[nowhere].end = 0;
      CHECK_FALSE(frames_of(each, {each.frame("", nowhere, 0x2345)})[0].contains("instruction_addr"));
    }
  }
}

TEST_CASE("a frame with nothing to show is called unknown") {
  trace_builder b;
  CHECK(frames_of(b, {b.frame("")}) == json::parse(R"([{"function":"unknown","platform":"native"}])"));

  trace_builder with_package;
  CHECK_FALSE(frames_of(with_package, {with_package.frame("", with_package.mapping("/a/b.so"))})[0].contains(
      "function"));
  trace_builder with_file;
  const auto frame = with_file.frame("");
  with_file.line("", "/src/a.cc", 0);
  CHECK(frames_of(with_file, {frame}) ==
        json::parse(R"([{"abs_path":"/src/a.cc","filename":"a.cc","platform":"native"}])"));
}

TEST_CASE("symbol lines become frames, innermost first, without an address") {
  trace_builder b;
  const auto caller = b.frame("main", b.mapping("/opt/shop", build_id), 0x10);
  const auto inlined = b.frame("_ZN4shop5priceEv", 0, 0x20);
  b.line("min", "/src/algo.h", 7);
  b.line("round", "price.cc", 0);
  b.line("", "price.cc", 9);  // an inlined function without a name is not the frame's own
  b.line("", "", 12);
  const auto task = b.task(1, 1);
  b.sample(0, b.stack({inlined, caller}), task);
  b.sample(1, b.stack({inlined}), task);
  const converted out(b);
  CHECK(out.frames() == json::parse(R"([
    {"abs_path":"/src/algo.h","filename":"algo.h","function":"min","lineno":7,"package":"opt/shop",
     "platform":"native"},
    {"abs_path":"price.cc","filename":"price.cc","function":"round","package":"opt/shop","platform":"native"},
    {"abs_path":"price.cc","filename":"price.cc","lineno":9,"package":"opt/shop","platform":"native"},
    {"function":"_ZN4shop5priceEv","lineno":12,"package":"opt/shop","platform":"native"},
    {"function":"main","instruction_addr":"0x1010","package":"opt/shop","platform":"native"}])"));
  CHECK(out.stacks() == json::parse("[[0,1,2,3,4],[0,1,2,3]]"));
  CHECK(out.images().size() == 1);
}

TEST_CASE("java frames with lines keep their module") {
  trace_builder b;
  const auto frame = b.frame("com.shop.Cart.add", b.mapping("/data/app/base.odex"));
  b.line("com.shop.Cart.add", "Cart.kt", 5);
  CHECK(frames_of(b, {frame}) == json::parse(R"([{"abs_path":"Cart.kt","filename":"Cart.kt","function":"add",
    "lineno":5,"module":"com.shop.Cart","package":"data/app/base.odex","platform":"java"}])"));
}

TEST_CASE("frames and stacks are unique by value, in order of first use") {
  trace_builder b;
  // Two mappings of one path at one place, as two sequences intern them; a third elsewhere.
  const auto one = b.mapping("/opt/lib.so"), same = b.mapping("/opt/lib.so"),
             other = b.mapping("/opt/lib.so");
  b.trace.mappings[other].start = 0x1800;
  const auto unused = b.frame("never", one, 1);
  const auto f1 = b.frame("f", one, 0x10), f2 = b.frame("f", same, 0x10), f3 = b.frame("f", other, 0x10);
  const auto f4 = b.frame("f", one, 0x810), g = b.frame("g", one, 0x10);
  b.stack({unused});
  const auto late = b.stack({g}), first = b.stack({f1, g}), equal = b.stack({f2, g}),
             elsewhere = b.stack({f3, g});
  const auto also_elsewhere = b.stack({f4, g});
  const auto task = b.task(1, 1);
  std::int64_t t = 0;
  for (const auto s : {first, equal, elsewhere, also_elsewhere, late, first}) b.sample(++t, s, task);

  const converted out(b);
  CHECK(out.stacks() == json::parse("[[0,1],[2,1],[1]]"));
  CHECK(out.frames().size() == 3);
  CHECK(out.frames()[0]["instruction_addr"] == "0x1010");
  CHECK(out.frames()[1]["function"] == "g");
  CHECK(out.frames()[2]["instruction_addr"] == "0x1810");
  std::vector<int> ids;
  for (auto const& s : out.profile()["samples"]) ids.push_back(s["stack_id"]);
  CHECK(ids == std::vector{0, 0, 1, 1, 2, 0});
}

TEST_CASE("any emitted field keeps frames apart") {
  trace_builder b;
  const auto a = b.mapping("/a.so"), c = b.mapping("/c.so"), dex = b.mapping("/a.dex"), none = b.mapping("");
  const auto f1 = b.frame("m.f", a), f2 = b.frame("m.f", c), f3 = b.frame("m.f", dex),
             f4 = b.frame("m.f", none);
  const auto f5 = b.frame("m.f", a);
  b.line("", "x/y.c", 0);
  const auto f6 = b.frame("m.f", a);
  b.line("", "z/y.c", 0);
  const auto f7 = b.frame("m.f", a);
  b.line("", "z/y.c", 4);
  const auto f8 = b.frame("m.f");
  b.trace.frames[f8].of_runtime = true;
  CHECK(frames_of(b, {f1, f2, f3, f4, f5, f6, f7, f8}).size() == 8);
}

TEST_CASE("symbols cannot multiply a stack beyond what could be written") {
  trace_builder b;
  const auto frame = b.frame("f", b.mapping("/opt/shop"));
  for (int i = 0; i < 1000; ++i) b.line("inlined", "a.cc", 1);
  const auto task = b.task(1, 1);
  b.sample(0, b.stack({frame, frame, frame}), task);
  profile::convert_counts counts;
  profile::convert_limits lim;
  const auto refused = [&] {
    profile::sample_v2::chunk c;
    c.platform = "android";
    return profile::convert(b.trace, lim, c, counts);
  };
  lim.max_json_bytes = 6000;
  CHECK(refused());
  lim.max_json_bytes = 5998;
  REQUIRE_FALSE(refused());
  CHECK(refused().error().code == profile::errc::exceed_size_limit);
  lim.max_json_bytes = 1000;
  CHECK_FALSE(refused());
}

TEST_CASE("more emitted frames than the limit are refused") {
  trace_builder b;
  const auto m = b.mapping("/opt/shop");
  const auto f = b.frame("f", m, 1), g = b.frame("g", m, 2), h = b.frame("h", m, 3);
  b.sample(0, b.stack({f, g, h}), b.task(1, 1));
  profile::convert_limits lim;
  profile::convert_counts counts;
  for (const std::size_t limit : {3U, 2U}) {
    lim.max_frames = limit;
    profile::sample_v2::chunk c;
    const auto r = profile::convert(b.trace, lim, c, counts);
    CHECK(r.has_value() == (limit == 3));
    if (!r) CHECK(r.error().cause == "too_many_frames");
  }
}
