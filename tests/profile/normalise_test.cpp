#include "profile/normalise.hpp"

#include <catch2/catch.hpp>
#include <tuple>
#include <vector>

#include "print_error.hpp"

using namespace profile_relay::profile;
using sample_v2::chunk;

namespace {

constexpr std::int64_t second = 1'000'000'000;

/// Stack 0 is idle, stack 1 is frame 0, stack 2 is frames 1 and 0. Threads "a", "b", "c", each with metadata.
chunk chunk_of(std::vector<sample_v2::sample> samples) {
  chunk c;
  c.platform = "android";
  c.frames.resize(2);
  c.stacks.close();
  c.stacks.push(0), c.stacks.close();
  c.stacks.push(1), c.stacks.push(0), c.stacks.close();
  for (const auto* id : {"a", "b", "c"}) {
    auto& t = c.threads.emplace_back();
    t.id = id;
    t.has_metadata = true;
  }
  c.samples = std::move(samples);
  return c;
}

std::vector<std::tuple<std::int64_t, unsigned, unsigned>> samples_of(chunk const& c) {
  std::vector<std::tuple<std::int64_t, unsigned, unsigned>> out;
  for (auto const& s : c.samples) out.emplace_back(s.time, s.stack, s.thread);
  return out;
}

errc refused(chunk& c) {
  std::uint64_t dropped = 0;
  const auto r = normalise(c, dropped);
  REQUIRE_FALSE(r);
  return r.error().code;
}

}  // namespace

TEST_CASE("threads with at most one non-idle sample disappear with their metadata") {
  auto c = chunk_of({{10, 1, 0}, {11, 1, 1}, {12, 0, 1}, {13, 2, 0}, {14, 0, 2}, {15, 0, 2}, {16, 0, 0}});
  std::uint64_t dropped = 0;
  REQUIRE(normalise(c, dropped));
  CHECK(dropped == 4);
  CHECK(samples_of(c) == decltype(samples_of(c)){{10, 1, 0}, {13, 2, 0}, {16, 0, 0}});
  CHECK(c.threads[0].has_metadata);
  CHECK_FALSE(c.threads[1].has_metadata);
  CHECK_FALSE(c.threads[2].has_metadata);
}

TEST_CASE("nothing left is not enough") {
  auto none = chunk_of({});
  CHECK(refused(none) == errc::not_enough_samples);
  auto lonely = chunk_of({{1, 1, 0}, {2, 1, 1}});
  CHECK(refused(lonely) == errc::not_enough_samples);
  auto idle = chunk_of({{1, 0, 0}, {2, 0, 0}});
  CHECK(refused(idle) == errc::not_enough_samples);
}

TEST_CASE("ids out of range are refused, once the lonely threads are gone") {
  auto stack = chunk_of({{1, 1, 0}, {2, 1, 0}, {3, 3, 0}});
  CHECK(refused(stack) == errc::malformed_samples);

  auto frame = chunk_of({{1, 1, 0}, {2, 1, 0}});
  frame.stacks.push(2), frame.stacks.close();
  CHECK(refused(frame) == errc::malformed_stacks);

  auto of_lonely_thread = chunk_of({{1, 1, 0}, {2, 1, 0}, {3, 99, 1}});
  std::uint64_t dropped = 0;
  CHECK(normalise(of_lonely_thread, dropped));
  CHECK(dropped == 1);
}

TEST_CASE("a sample counts as idle if its stack does not exist") {
  auto c = chunk_of({{1, 99, 0}, {2, 1, 0}});
  CHECK(refused(c) == errc::not_enough_samples);
}

TEST_CASE("samples are sorted stably") {
  auto c = chunk_of({{5, 1, 0}, {3, 2, 1}, {5, 2, 1}, {3, 1, 0}});
  std::uint64_t dropped = 0;
  REQUIRE(normalise(c, dropped));
  CHECK(samples_of(c) == decltype(samples_of(c)){{3, 2, 1}, {3, 1, 0}, {5, 1, 0}, {5, 2, 1}});
}

TEST_CASE("66 s exactly pass, more does not") {
  std::uint64_t dropped = 0;
  SECTION("in nanoseconds") {
    auto exact = chunk_of({{second + 66 * second, 1, 0}, {second, 1, 0}});
    CHECK(normalise(exact, dropped));
    auto over = chunk_of({{second + 66 * second + 1, 1, 0}, {second, 1, 0}});
    CHECK(refused(over) == errc::duration_is_too_long);
  }
  SECTION("in a client's seconds") {
    const auto spanning = [](double first, double last) {
      auto c =
          chunk_of({{sample_v2::time_of_seconds(first), 1, 0}, {sample_v2::time_of_seconds(last), 1, 0}});
      c.times = sample_v2::time_form::seconds;
      return c;
    };
    auto exact = spanning(1790000000.25, 1790000066.25);
    CHECK(normalise(exact, dropped));
    auto over = spanning(1790000000.25, 1790000066.250001);
    CHECK(refused(over) == errc::duration_is_too_long);
  }
  SECTION("samples of dropped threads do not count") {
    auto c = chunk_of({{second, 1, 0}, {2 * second, 1, 0}, {100 * second, 1, 1}});
    CHECK(normalise(c, dropped));
  }
}

TEST_CASE("times in seconds order as doubles do") {
  const double values[] = {1e-300, 0.5, 1, 1.0000000000000002, 1790000000.0099, 99'999'999'999.0};
  for (const double a : values)
    for (const double b : values) {
      CHECK((sample_v2::time_of_seconds(a) < sample_v2::time_of_seconds(b)) == (a < b));
      CHECK(sample_v2::seconds_of_time(sample_v2::time_of_seconds(a)) == a);
    }
}

TEST_CASE("only cocoa addresses are masked") {
  for (const bool cocoa : {true, false}) {
    auto c = chunk_of({{1, 1, 0}, {2, 1, 0}});
    if (cocoa) c.platform = "cocoa";
    c.frames[0].instruction_addr = 0xab'cdef'0123'4567;
    std::uint64_t dropped = 0;
    REQUIRE(normalise(c, dropped));
    CHECK(c.frames[0].instruction_addr == (cocoa ? 0xf'0123'4567 : 0xab'cdef'0123'4567));
    CHECK_FALSE(c.frames[1].instruction_addr);
  }
}
