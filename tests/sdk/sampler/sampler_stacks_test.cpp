// What the stacks of the real sampler say.
#include <dlfcn.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <functional>
#include <stdexcept>

#include "perfetto_decode/decoded_trace.hpp"
#include "sdk/core/clocks.hpp"
#include "sdk/core/trace_builder.hpp"
#include "sdk/trace/symbolizer.hpp"
#include "tests/sdk/sampler/support.hpp"

namespace sdk = profile_relay::sdk;
namespace pd = profile_relay::perfetto_decode;
using sdk::testing::busy_thread;
using sdk::testing::recording_sink;

namespace {

std::atomic<std::uint64_t> work{0};

// With so much on its stack it gets a frame.
__attribute__((noinline)) void named_leaf() {
  char volatile room[256];
  room[0] = 1;
  for (int i = 0; i < 20'000; ++i)
    work.fetch_add(static_cast<unsigned char>(room[0]), std::memory_order_relaxed);
}
__attribute__((noinline)) void named_caller() {
  named_leaf();
  asm volatile("");
}
__attribute__((noinline)) void named_recursion(int depth) {
  if (depth == 0)
    named_leaf();
  else
    named_recursion(depth - 1);
  asm volatile("");
}
__attribute__((noinline)) void named_thrower(int depth) {
  if (depth == 0) throw std::runtime_error("thrown all the time");
  named_thrower(depth - 1);
  asm volatile("");
}

std::vector<std::string> names_of(sdk::stack_sample const& sample) {
  sdk::image_table images;
  sdk::symbolizer symbols(images);
  std::vector<std::string> names;
  for (auto const pc : sample.frames())
    names.emplace_back(symbols.locate(pc - (names.empty() ? 0 : 1)).function);
  return names;
}

bool has(std::vector<std::string> const& names, std::size_t i, std::string_view part) {
  return i < names.size() && names[i].find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a busy thread's stack begins with what it does and who called it") {
  auto const walk =
      GENERATE(sdk::stack_walk::automatic, sdk::stack_walk::unwind_tables, sdk::stack_walk::frame_pointers);
  recording_sink sink;
  busy_thread const busy([] { named_caller(); });
  auto const sampler = sdk::make_signal_sampler(walk);
  REQUIRE(sampler->start(sink) == sdk::sampler_status::running);
  // In an instruction of named_leaf()'s prologue the frame pointer is still the caller's; so some samples, not all.
  sdk::stack_sample seen;
  sink.wait([&](auto const& s) {
    auto const at = s.latest.find(busy.tid());
    if (at == s.latest.end()) return false;
    auto const names = names_of(at->second);
    if (!has(names, 0, "named_leaf") || !has(names, 1, "named_caller")) return false;
    seen = at->second;
    return true;
  });
  sampler->stop();
  CHECK(sink.counts_agree);
  CHECK(seen.tid == busy.tid());
  CHECK(seen.depth >= 3);
}

TEST_CASE("deep recursion: the 128 frames next to the leaf, counted as truncated") {
  auto const walk = GENERATE(sdk::stack_walk::unwind_tables, sdk::stack_walk::frame_pointers);
  recording_sink sink;
  busy_thread const busy([] { named_recursion(5'000); });
  auto const sampler = sdk::make_signal_sampler(walk);
  REQUIRE(sampler->start(sink) == sdk::sampler_status::running);
  sdk::stack_sample seen;
  sink.wait([&](auto const& s) {
    auto const at = s.latest.find(busy.tid());
    if (at == s.latest.end() || at->second.depth != sdk::max_depth) return false;
    seen = at->second;
    return has(names_of(seen), 0, "named_leaf");
  });
  sampler->stop();
  CHECK(seen.truncated);
  CHECK(sink.sum.truncated >= 1);
  auto const names = names_of(seen);
  for (std::size_t i = 1; i < names.size(); ++i) {
    INFO(i);
    CHECK(has(names, i, "named_recursion"));
  }
}

TEST_CASE("threads that throw all the time are sampled, and their exceptions arrive") {
  recording_sink sink;
  std::atomic<std::uint64_t> caught{0};
  auto const step = [&] {
    try {
      named_thrower(10);
    } catch (std::runtime_error const&) {
      ++caught;
    }
  };
  busy_thread const one(step), two(step);
  auto const sampler = sdk::make_signal_sampler();
  REQUIRE(sampler->start(sink) == sdk::sampler_status::running);
  sink.wait_for_samples_of(one.tid(), 30);
  sink.wait_for_samples_of(two.tid(), 30);
  sampler->stop();
  CHECK(caught > 0);
  CHECK(sink.counts_agree);
}

TEST_CASE("images that come and go while sampling are named in the trace") {
  using call_through = void (*)(void (*)(void*), void*);
  auto const factory = sdk::make_trace_builder_factory();
  auto const trace = factory->begin(sdk::read_clocks());
  std::atomic<bool> inside{false};
  recording_sink sink;
  std::uint64_t written = 0;
  sink.each = [&](auto samples) {
    for (auto const& s : samples) trace->append(s);
    written += samples.size();
  };
  busy_thread loading([&] {
    auto* const handle = ::dlopen(LOADABLE, RTLD_NOW | RTLD_LOCAL);
    if (handle == nullptr) std::abort();
    auto const call = reinterpret_cast<call_through>(::dlsym(handle, "call_through_loadable"));
    for (int i = 0; i < 20; ++i) call([](void*) { named_leaf(); }, nullptr);
    ::dlclose(handle);
  });
  auto const sampler = sdk::make_signal_sampler();
  REQUIRE(sampler->start(sink) == sdk::sampler_status::running);
  auto const seen_in_it = [](sdk::stack_sample const& s) {
    sdk::loader_counts counts;
    for (auto const& image : sdk::list_loaded_images(counts))
      if (image.path == LOADABLE)
        for (auto const pc : s.frames())
          if (pc > image.start && pc < image.end) return true;
    return false;
  };
  int met = 0;
  sink.wait([&](auto const& s) {
    auto const at = s.latest.find(loading.tid());
    if (at != s.latest.end() && seen_in_it(at->second)) ++met;
    return met >= 10;
  });
  sampler->stop();
  loading.join();
  auto const bytes = trace->finish(sdk::read_clocks());
  auto const d = pd::decode(std::as_bytes(std::span(bytes)));
  REQUIRE(d.has_value());
  CHECK(d.value().samples.size() == written);
  std::size_t named = 0;
  for (auto const& f : d.value().frames)
    if (f.function == "call_through_loadable" && d.value().mappings[f.mapping].name == LOADABLE) ++named;
  CHECK(named >= 1);
}
