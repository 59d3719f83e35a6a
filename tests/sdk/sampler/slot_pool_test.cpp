#include "sdk/sampler/slot_pool.hpp"

#include <catch2/catch.hpp>

using profile_relay::sdk::sample_slot;
using end = sample_slot::end;

TEST_CASE("an answer in time is a sample, once") {
  sample_slot slot;
  slot.arm(7);
  CHECK(slot.begin(7));
  slot.finish(7);
  CHECK(slot.collect(7) == end::sample);
}

TEST_CASE("a handler that comes after the deadline finds nothing to do") {
  sample_slot slot;
  slot.arm(7);
  CHECK(slot.collect(7) == end::nothing);
  CHECK_FALSE(slot.begin(7));
  SECTION("and disturbs no later tick that has the slot") {
    slot.arm(8);
    CHECK_FALSE(slot.begin(7));
    CHECK(slot.begin(8));
    CHECK_FALSE(slot.begin(7));
    slot.finish(8);
    CHECK_FALSE(slot.begin(7));
    CHECK(slot.collect(8) == end::sample);
  }
}

TEST_CASE("a slot belongs to its handler until that has ended, over the deadline too") {
  sample_slot slot;
  slot.arm(7);
  CHECK(slot.begin(7));
  CHECK(slot.collect(7) == end::still_writing);
  CHECK(slot.collect(7) == end::still_writing);
  slot.finish(7);
  CHECK(slot.collect(7) == end::sample);
}

TEST_CASE("a second handler for one tick is refused") {
  sample_slot slot;
  slot.arm(7);
  CHECK(slot.begin(7));
  CHECK_FALSE(slot.begin(7));
}
