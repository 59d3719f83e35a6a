#include "tools/trace_maker.hpp"

#include <catch2/catch.hpp>
#include <map>
#include <nlohmann/json.hpp>

#include "proto/trace.pb.h"

namespace maker = profile_relay::trace_maker;

namespace {

struct seen {
  std::map<std::uint32_t, int> samples_by_thread;
  std::uint64_t first = ~0ull, last = 0;
  int samples = 0, steps_back = 0, snapshots = 0;
  std::uint64_t frame_ids = 0;
  int stacks = 0;
};

seen look_at(std::string const& bytes) {
  perfetto::protos::Trace trace;
  REQUIRE(trace.ParseFromString(bytes));
  seen out;
  std::uint64_t previous = 0;
  for (auto const& p : trace.packet()) {
    out.snapshots += p.has_clock_snapshot();
    for (auto const& stack : p.interned_data().callstacks()) {
      ++out.stacks;
      out.frame_ids += static_cast<std::uint64_t>(stack.frame_ids_size());
    }
    if (!p.has_perf_sample()) continue;
    CHECK(p.perf_sample().has_callstack_iid());
    ++out.samples;
    ++out.samples_by_thread[p.perf_sample().tid()];
    out.steps_back += p.timestamp() < previous;
    previous = p.timestamp();
    out.first = std::min(out.first, previous);
    out.last = std::max(out.last, previous);
  }
  return out;
}

bool about(double value, double expected) { return value > expected * 0.9 && value < expected * 1.1; }

}  // namespace

TEST_CASE("the benchmark's traces have the shape that the benchmark describes") {
  struct row {
    maker::bench_size size;
    int samples;
    double megabytes, frames, stacks;
  };
  auto const r = GENERATE(row{maker::bench_size::small, 1'000, 0.18, 1'900, 111},
                          row{maker::bench_size::middle, 10'000, 0.73, 2'800, 1'011},
                          row{maker::bench_size::large, 90'000, 5.2, 2'900, 9'011},
                          row{maker::bench_size::sparse, 60'000, 2.8, 2'700, 500});
  auto const made = maker::make_bench(r.size, 1, maker::default_now);
  auto const s = look_at(made.bytes);
  INFO(maker::to_string(r.size));
  CHECK(s.samples == r.samples);
  CHECK(about(static_cast<double>(made.bytes.size()) / 1e6, r.megabytes));
  CHECK(about(static_cast<double>(made.frames), r.frames));
  CHECK(about(s.stacks, r.stacks));
  CHECK(about(static_cast<double>(s.frame_ids) / s.stacks, 40));
  CHECK(s.samples_by_thread.size() == 12);
  for (auto const& [tid, count] : s.samples_by_thread) CHECK(count > 1);
  CHECK(s.steps_back > 50);
  CHECK(s.last - s.first <= 60'000'000'000u);
}

TEST_CASE(
    "the demo's trace is an app's chunk: a dozen threads, some thousand samples, two snapshots or more") {
  auto const made = maker::make_android(1, maker::default_now);
  auto const s = look_at(made.bytes);
  CHECK(s.samples > 2'000);
  CHECK(s.samples_by_thread.size() == 12);
  for (auto const& [tid, count] : s.samples_by_thread) CHECK(count > 1);
  CHECK(s.snapshots >= 2);
  CHECK(s.last - s.first <= 60'000'000'000u);
  CHECK(s.last > s.first);
}

TEST_CASE("the same arguments make the same bytes, others do not") {
  CHECK(maker::make_android(7, maker::default_now).bytes == maker::make_android(7, maker::default_now).bytes);
  CHECK(maker::make_android(7, maker::default_now).bytes != maker::make_android(8, maker::default_now).bytes);
  CHECK(maker::make_android(7, maker::default_now).bytes !=
        maker::make_android(7, maker::default_now + 1).bytes);
  CHECK(maker::make_metadata(7) == maker::make_metadata(7));
  CHECK(maker::make_metadata(7) != maker::make_metadata(8));
}

TEST_CASE("the metadata has what a chunk needs") {
  auto const m = nlohmann::json::parse(maker::make_metadata(1));
  CHECK(m["chunk_id"].get<std::string>().size() == 32);
  CHECK(m["profiler_id"].get<std::string>().size() == 32);
  CHECK(m["chunk_id"] != m["profiler_id"]);
  CHECK(m["platform"] == "android");
  CHECK(m["version"] == "2");
  CHECK(m["debug_meta"]["images"][0]["type"] == "proguard");
}
