#include "profile/convert.hpp"

#include <catch2/catch.hpp>

#include "converted.hpp"
#include "profile/normalise.hpp"
#include "worked_example.hpp"

using namespace profile_relay;
using namespace profile_relay::profile;
using nlohmann::json;

namespace {

std::vector<std::string> thread_ids(converted const& c) {
  std::vector<std::string> out;
  for (auto const& s : c.profile()["samples"]) out.push_back(s["thread_id"]);
  return out;
}

error refusal(trace_builder const& b) {
  sample_v2::chunk c;
  convert_counts counts;
  const auto r = convert(b.trace, {}, c, counts);
  REQUIRE_FALSE(r);
  return r.error();
}

}  // namespace

TEST_CASE("the worked example comes out of a trace byte for byte") {
  // Metadata: the example without its profile and without the image that conversion adds.
  auto metadata = json::parse(worked_example);
  metadata.erase("profile");
  metadata["debug_meta"]["images"].erase(1);
  const envelope::padded_copy text(metadata.dump());
  auto chunk = read_header(*json_document::parse(text.view(), 64));
  REQUIRE(chunk);

  trace_builder b;
  const auto build_id =
      std::string("\xb0\x3e\x4a\x7f\x5e\x88\x4c\x8d\xa0\x4b\x05\xfa\x32\xcc\x4c\xbd\x69\xfa\xff\x51", 20);
  const auto shop = b.mapping("/data/app/com.example.shop/lib/arm64/libshop.so", build_id);
  b.trace.mappings[shop].start = 0x7a10000000;
  b.trace.mappings[shop].end = 0x7a10010000;
  const auto odex = b.mapping("/data/app/com.example.shop/oat/arm64/base.odex");
  const auto oat = b.mapping("/system/framework/arm64/boot-framework.oat");
  const auto libc = b.mapping("/apex/com.android.runtime/lib64/bionic/libc.so");  // without an id: no image
  b.trace.mappings[libc].start = 0x7b20000000;
  b.trace.mappings[libc].end = 0x7b20100000;
  const auto decode = b.frame("decode_price", shop, 0x1234), unnamed = b.frame("", shop, 0x2a40);
  const auto render = b.frame("com.example.shop.CartView.render", odex, 0x99);
  const auto main = b.frame("android.app.ActivityThread.main", oat, 0x77);
  const auto start = b.frame("__start_thread", libc, 0x54ab0);
  const auto busy = b.stack({decode, render, main}), worker = b.stack({unnamed, start}),
             waiting = b.stack({main});
  const auto ui = b.task(4100, 4100), pool = b.task(4100, 4117, "PriceWorker");
  b.sample(0, busy, ui);
  b.sample(4'000'000, worker, pool);
  b.sample(9'900'000, waiting, ui);
  b.sample(13'900'000, worker, pool);
  b.sample(19'800'000, busy, ui);

  convert_counts counts;
  REQUIRE(convert(b.trace, {}, *chunk, counts));
  std::uint64_t dropped = 0;
  REQUIRE(normalise(*chunk, dropped));
  CHECK(write(*chunk) == compact(worked_example));
  CHECK(counts.emitted_samples == 5);
  CHECK(counts.image_without_build_id == 1);
  CHECK(counts.foreign_process_samples == 0);
}

TEST_CASE("times stay nanoseconds") {
  trace_builder b;
  const auto stack = b.stack({b.frame("f")});
  const auto task = b.task(1, 1);
  b.sample(1, stack, task);
  b.sample(123'456'789, stack, task);
  sample_v2::chunk c;
  convert_counts counts;
  REQUIRE(convert(b.trace, {}, c, counts));
  CHECK_THAT(write(c), Catch::Contains("1790000000.000000001,") && Catch::Contains("1790000000.123456789,"));
}

TEST_CASE(
    "samples are in order of wall time, and where it stepped back, trace order decides between equals") {
  trace_builder b;
  const auto task = b.task(1, 1);
  const auto f = b.stack({b.frame("f")}), g = b.stack({b.frame("g")}), h = b.stack({b.frame("h")});
  b.sample(50, f, task);
  b.sample(40, g, task);
  b.sample(50, h, task);
  const converted out(b);
  const auto& samples = out.profile()["samples"];
  CHECK(samples[0]["stack_id"] == 0);
  CHECK(samples[1]["stack_id"] == 1);
  CHECK(samples[2]["stack_id"] == 2);
  // Order of first use is that of the sorted samples: g, f, h.
  CHECK(out.frames()[0]["function"] == "g");
  CHECK(out.frames()[1]["function"] == "f");
  CHECK(out.frames()[2]["function"] == "h");
}

TEST_CASE("samples without a wall time are not emitted, and told") {
  trace_builder b;
  const auto task = b.task(1, 1);
  const auto stack = b.stack({b.frame("f")});
  b.sample(1, stack, task);
  b.sample(2, stack, task).has_wall_time = false;
  b.sample(3, stack, task).wall_time = 0;
  b.sample(4, stack, task).wall_time = -5;
  const converted out(b);
  CHECK(out.profile()["samples"].size() == 1);
  CHECK(out.counts.emitted_samples == 1);
  CHECK(out.counts.unplaced_samples == 3);
}

TEST_CASE("idle marks are emitted with an empty stack and counted") {
  trace_builder b;
  const auto task = b.task(1, 1);
  const auto busy = b.stack({b.frame("f")}), idle = b.stack({}), idle_too = b.stack({});
  b.sample(1, busy, task);
  b.sample(2, idle, task);
  b.sample(3, idle_too, task);
  b.sample(4, idle, task);
  const converted out(b);
  CHECK(out.stacks() == json::parse("[[0],[]]"));
  CHECK(out.counts.empty_stacks == 3);
  CHECK(out.counts.emitted_samples == 4);
}

TEST_CASE("thread ids and names") {
  trace_builder b;
  const auto stack = b.stack({b.frame("f")});
  SECTION("decimal tid; the trace's name, else main for the first thread of each process, else no metadata") {
    for (const auto task : {b.task(10, 10), b.task(10, 11, "worker"), b.task(10, 12), b.task(20, 20),
                            b.task(30, 30, "init"), b.task(10, 11, "later")})
      b.sample(task, stack, task);
    const converted out(b);
    CHECK(thread_ids(out) == std::vector<std::string>{"10", "11", "12", "20", "30", "11"});
    CHECK(out.profile()["thread_metadata"] ==
          json::parse(
              R"({"10":{"name":"main"},"11":{"name":"worker"},"20":{"name":"main"},"30":{"name":"init"}})"));
  }
  SECTION("a name that only a later task of the thread knows") {
    b.sample(0, stack, b.task(10, 11));
    b.sample(1, stack, b.task(10, 11, "worker"));
    CHECK(converted(b).profile()["thread_metadata"] == json::parse(R"({"11":{"name":"worker"}})"));
  }
  SECTION("without a tid, or without a task: thread 0, which is nobody's main thread") {
    b.trace.tasks.resize(1);
    b.sample(0, stack, 0);
    b.sample(1, stack, perfetto_decode::none);
    const converted out(b);
    CHECK(thread_ids(out) == std::vector<std::string>{"0", "0"});
    CHECK(out.profile()["thread_metadata"] == json::object());
  }
  SECTION("a tid on several machines: plain on the lowest one, with its number on the others") {
    for (const auto task : {b.task(10, 10, "", 7), b.task(10, 10, "host"), b.task(10, 11, "", 7),
                            b.task(10, 12, "", 3), b.task(10, 12, "", 7)})
      b.sample(task, stack, task);
    const converted out(b);
    CHECK(thread_ids(out) == std::vector<std::string>{"7:10", "10", "11", "12", "7:12"});
    CHECK(out.profile()["thread_metadata"] ==
          json::parse(R"({"10":{"name":"host"},"7:10":{"name":"main"}})"));
  }
}

TEST_CASE("samples of other processes are kept and counted") {
  trace_builder b;
  const auto stack = b.stack({b.frame("f")});
  const auto own = b.task(10, 10), own_too = b.task(10, 11), other = b.task(20, 20),
             machine = b.task(10, 10, "", 5);
  b.trace.tasks.emplace_back();
  std::int64_t t = 0;
  for (const auto task : {own, other, own_too, other, machine, 4U}) b.sample(++t, stack, task);
  const converted out(b);
  CHECK(out.counts.emitted_samples == 6);
  CHECK(out.counts.foreign_process_samples == 3);
}

TEST_CASE("traces with nothing to show are refused for what they lack") {
  using perfetto_decode::counter;
  trace_builder b;
  b.trace.packets = 45'882;
  SECTION("no sample at all") {
    const auto e = refusal(b);
    CHECK(e.code == errc::not_enough_samples);
    CHECK(e.cause == "no_samples");
    CHECK_THAT(e.what, Catch::Contains("45882 packets"));
  }
  SECTION("records, but none with a stack and CPU time") {
    b.trace.sample_records = 9;
    const auto e = refusal(b);
    CHECK(e.code == errc::not_enough_samples);
    CHECK(e.cause == "no_emitted_samples");
  }
  SECTION("samples, but no way to REALTIME") {
    b.sample(1, b.stack({b.frame("f")}), b.task(1, 1)).has_wall_time = false;
    CHECK(refusal(b).code == errc::invalid_sampled_profile);
    CHECK(refusal(b).cause == "no_usable_clock");
    b.trace.has_clock_snapshot = false;
    CHECK(refusal(b).code == errc::invalid_sampled_profile);
    CHECK(refusal(b).cause == "missing_clock_snapshot");
  }
  SECTION("samples that the decoder dropped for their clock") {
    for (const auto c :
         {counter::clock_sync_failure_unknown_source_clock, counter::clock_sync_failure_unknown_target_clock,
          counter::clock_sync_failure_no_path}) {
      trace_builder each;
      each.trace.sample_records = 2;
      each.trace.counts.add(c);
      CHECK(refusal(each).code == errc::invalid_sampled_profile);
      CHECK(refusal(each).cause == "no_usable_clock");
    }
  }
}
