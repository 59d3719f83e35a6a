#include "profile/convert_images.hpp"

#include <catch2/catch.hpp>

#include "converted.hpp"

using namespace profile_relay;
using nlohmann::json;

namespace {

const std::string build_id("\xb0\x3e\x4a\x7f\x5e\x88\x4c\x8d\xa0\x4b\x05\xfa\x32\xcc\x4c\xbd\x69\xfa\xff\x51",
                           20);

perfetto_decode::mapping& place(trace_builder& b, std::uint32_t i, std::uint64_t start, std::uint64_t end) {
  auto& m = b.trace.mappings[i];
  m.start = start;
  m.end = end;
  return m;
}

}  // namespace

TEST_CASE("an image has the true base and reaches to the greatest end of its mappings") {
  trace_builder b;
  const auto text = b.mapping("/data/app/libshop.so", build_id),
             data = b.mapping("/data/app/libshop.so", build_id);
  auto& t = place(b, text, 0x7a10004000, 0x7a10008000);
  t.exact_offset = 0x4000;
  auto& d = place(b, data, 0x7a10008000, 0x7a10010000);  // no frame lies in it
  d.exact_offset = 0x8000;
  b.sample(0, b.stack({b.frame("f", text, 0x4010), b.frame("g", text, 0x4020)}), b.task(1, 1));
  const converted out(b);
  CHECK(out.images() == json::parse(R"([{"code_file":"data/app/libshop.so",
    "debug_id":"7f4a3eb0-885e-8d4c-a04b-05fa32cc4cbd","type":"symbolic","image_addr":"0x7a10000000",
    "image_vmaddr":"0x0","image_size":65536}])"));
  CHECK(out.frames()[0]["instruction_addr"] == "0x7a10004010");
  CHECK(out.counts.image_without_range == 0);
  CHECK(out.counts.image_without_build_id == 0);
}

TEST_CASE("where an image starts") {
  perfetto_decode::mapping m;
  m.start = 0x400000;
  m.end = 0x500000;
  SECTION("at its base") {
    m.exact_offset = 0x1000;
    m.load_bias = 0x2000;
    CHECK(profile::image_address(m) == 0x3fd000);
  }
  SECTION("of an executable at fixed addresses: at file offset 0") {
    m.load_bias = 0x400000;
    CHECK(m.image_base() == 0);
    CHECK(profile::image_address(m) == 0x400000);
    m.exact_offset = 0x1000;
    m.load_bias = 0x3ff000;
    CHECK(m.image_base() == 0);
    CHECK(profile::image_address(m) == 0x3ff000);
  }
  SECTION("of a base that wraps above the mapping: at file offset 0") {
    m.load_bias = 0x500000;
    CHECK(profile::image_address(m) == 0x400000);
  }
}

TEST_CASE("image_vmaddr is what image_addr is above the base") {
  trace_builder b;
  const auto fixed = b.mapping("/opt/fixed", build_id);
  place(b, fixed, 0x401000, 0x500000).load_bias = 0x400000;
  b.trace.mappings[fixed].exact_offset = 0x1000;
  const auto frame = b.frame("f", fixed, 0x401234);
  b.sample(0, b.stack({frame}), b.task(1, 1));
  const converted out(b);
  CHECK(out.images()[0]["image_addr"] == "0x400000");
  CHECK(out.images()[0]["image_vmaddr"] == "0x400000");
  CHECK(out.images()[0]["image_size"] == 0x100000);
  CHECK(out.frames()[0]["instruction_addr"] == "0x401234");
}

TEST_CASE("identity is path and address, the rest of the order is first use") {
  trace_builder b;
  const auto a = b.mapping("/a.so", build_id), a_elsewhere = b.mapping("/a.so", build_id);
  const auto c = b.mapping("/c.so", build_id), a_again = b.mapping("/a.so", "other id");
  place(b, a_elsewhere, 0x9000, 0xa000);
  const auto unused = b.mapping("/unused.so", build_id);
  (void)b.frame("never", unused);
  b.sample(0, b.stack({b.frame("1", c), b.frame("2", a_again), b.frame("3", a), b.frame("4", a_elsewhere)}),
           b.task(1, 1));
  const auto images = converted(b).images();
  REQUIRE(images.size() == 3);
  CHECK(images[0]["code_file"] == "c.so");
  CHECK(images[1]["code_file"] == "a.so");
  CHECK(images[1]["image_addr"] == "0x1000");
  CHECK(images[2]["image_addr"] == "0x9000");
}

TEST_CASE("an id that is none does not take the place of a later one") {
  trace_builder b;
  const auto without = b.mapping("/a.so"), with_id = b.mapping("/a.so", build_id);
  b.sample(0, b.stack({b.frame("1", without), b.frame("2", with_id)}), b.task(1, 1));
  const converted out(b);
  CHECK(out.images().size() == 1);
  CHECK(out.counts.image_without_build_id == 1);
}

TEST_CASE("what has no image is counted once for each mapping") {
  trace_builder b;
  const auto no_range = b.mapping("/opt/chrome", build_id), no_id = b.mapping("/b.so");
  const auto missing = b.mapping("/c.so", "missing"), system_id = b.mapping("/d.so", "system");
  place(b, no_range, 0, 0);
  const auto java = b.mapping("/base.odex", build_id), nameless = b.mapping("", build_id);
  const auto kernel = b.mapping("/kernel");
  place(b, kernel, 0, 0);
  b.sample(0,
           b.stack({b.frame("1", no_range), b.frame("2", no_range), b.frame("3", no_id),
                    b.frame("4", missing), b.frame("5", system_id), b.frame("a.b.C.f", java),
                    b.frame("6", nameless), b.frame("", nameless), b.frame("7", kernel), b.frame("8")}),
           b.task(1, 1));
  const converted out(b);
  CHECK(out.images().is_null());
  CHECK(out.counts.image_without_range == 1);
  CHECK(out.counts.image_without_build_id == 3);
}

TEST_CASE("client images come first and stay as they are") {
  trace_builder b;
  b.sample(0, b.stack({b.frame("f", b.mapping("/a.so", build_id))}), b.task(1, 1));
  profile::sample_v2::chunk c;
  c.platform = "android";
  auto& proguard = c.images.emplace_back();
  proguard.type = "proguard";
  proguard.uuid = "4f2d1c86-6a0b-4b7e-9a51-0c6f2b6a7d11";
  const auto images = converted(b, std::move(c)).images();
  REQUIRE(images.size() == 2);
  CHECK(images[0] == json::parse(R"({"type":"proguard","uuid":"4f2d1c86-6a0b-4b7e-9a51-0c6f2b6a7d11"})"));
  CHECK(images[1]["type"] == "symbolic");
}

TEST_CASE("a size that cannot be is left out") {
  trace_builder b;
  const auto odd = b.mapping("/a.so", build_id);
  place(b, odd, 0x1000, 0x2000).exact_offset = 0x5000;  // file offset 0 would lie below address 0
  b.sample(0, b.stack({b.frame("f", odd)}), b.task(1, 1));
  CHECK_FALSE(converted(b).images()[0].contains("image_size"));
}
