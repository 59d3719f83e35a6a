#include "sdk/sampler/thread_list.hpp"

#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <optional>

#include "tests/sdk/sampler/support.hpp"

namespace sdk = profile_relay::sdk;
using sdk::testing::busy_thread;

namespace {

bool lists(std::vector<std::int32_t> const& tids, std::int32_t tid) {
  return std::find(tids.begin(), tids.end(), tid) != tids.end();
}

}  // namespace

// A joined thread may be in the kernel's list a moment longer.
TEST_CASE("threads that come are listed at once, one that came for another when the going was noticed") {
  sdk::thread_list list;
  REQUIRE(list.usable());
  std::optional<busy_thread> one(std::in_place, [] {});
  auto const first = one->tid();
  CHECK(lists(list.read(0), first));
  CHECK(lists(list.read(0), ::gettid()));
  one.reset();
  busy_thread const two([] {});
  list.one_is_gone();
  CHECK(lists(list.read(0), two.tid()));
  while (lists(list.read(0), first)) list.one_is_gone();
  CHECK(lists(list.last(), two.tid()));
}

TEST_CASE("the excepted thread is not listed") {
  sdk::thread_list list;
  busy_thread const other([] {});
  CHECK_FALSE(lists(list.read(::gettid()), ::gettid()));
  CHECK(lists(list.last(), other.tid()));
}
