#include "sdk/sampler/duration_histogram.hpp"

#include <catch2/catch.hpp>

namespace sdk = profile_relay::sdk;

TEST_CASE("a quantile is at most an eighth above the true one, and never below") {
  for (std::uint64_t ns = 1; ns <= UINT32_MAX; ns = ns * 17 / 16 + 1) {
    sdk::duration_histogram h;
    h.add(static_cast<std::uint32_t>(ns));
    REQUIRE(h.quantile(0.5) >= ns);
    REQUIRE(h.quantile(0.5) <= ns + ns / 8);
    REQUIRE(h.total_ns() == ns);
  }
}

TEST_CASE("half and 99 of a hundred durations") {
  sdk::duration_histogram h;
  CHECK(h.quantile(0.99) == 0);
  for (std::uint32_t i = 1; i <= 100; ++i) h.add(i < 99 ? 4 : i * 1'000);
  CHECK(h.count() == 100);
  CHECK(h.quantile(0.5) == 4);
  CHECK(h.quantile(0.99) >= 99'000);
  CHECK(h.quantile(0.99) < 100'000 * 9 / 8);
}
