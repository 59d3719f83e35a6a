#include "sdk/sampler/slot_pool.hpp"

#include <catch2/catch.hpp>

using profile_relay::sdk::sample_slot;

TEST_CASE("an answer is taken once") {
  sample_slot slot;
  slot.arm(7);
  CHECK_FALSE(slot.take(7));
  CHECK(slot.begin(7));
  CHECK_FALSE(slot.take(7));
  slot.finish(7);
  CHECK_FALSE(slot.give_up(7));
  CHECK(slot.take(7));
  CHECK_FALSE(slot.take(7));
  CHECK_FALSE(slot.begin(7));
}

TEST_CASE("a handler whose request was given up finds nothing to do") {
  sample_slot slot;
  slot.arm(7);
  CHECK(slot.give_up(7));
  CHECK_FALSE(slot.begin(7));
  SECTION("and disturbs no later request that has the slot") {
    slot.arm(8);
    CHECK_FALSE(slot.begin(7));
    CHECK(slot.begin(8));
    CHECK_FALSE(slot.begin(7));
    slot.finish(8);
    CHECK_FALSE(slot.begin(7));
    CHECK_FALSE(slot.take(7));
    CHECK(slot.take(8));
  }
}

TEST_CASE("a slot belongs to its handler until that has ended") {
  sample_slot slot;
  CHECK(slot.reusable());
  slot.arm(7);
  CHECK(slot.begin(7));
  CHECK_FALSE(slot.give_up(7));
  CHECK_FALSE(slot.reusable());
  slot.finish(7);
  CHECK(slot.reusable());
}

TEST_CASE("a second handler for one request is refused") {
  sample_slot slot;
  slot.arm(7);
  CHECK(slot.begin(7));
  CHECK_FALSE(slot.begin(7));
}
