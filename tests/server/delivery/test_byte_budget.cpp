#include <catch2/catch.hpp>
#include <thread>
#include <vector>

#include "server/core/byte_budget.hpp"

using namespace profile_relay::server;

TEST_CASE("a lease takes and gives back") {
  byte_budget b(100);
  {
    auto a = b.try_acquire(60);
    REQUIRE(a);
    CHECK(a->bytes() == 60);
    CHECK_FALSE(b.try_acquire(41));
    CHECK(a->grow(40));
    CHECK_FALSE(a->grow(1));
    CHECK(a->bytes() == 100);
    a->shrink(70);
    CHECK(b.used() == 30);
    CHECK(a->resize(10));
    CHECK(a->resize(20));
    CHECK_FALSE(a->resize(101));
    CHECK(b.used() == 20);
    byte_lease moved = std::move(*a);
    CHECK(a->bytes() == 0);
    CHECK(b.used() == 20);
  }
  CHECK(b.used() == 0);
  CHECK(b.max_used() == 100);
}

TEST_CASE("sizes near the top of the range do not wrap around") {
  byte_budget b(100);
  auto a = b.try_acquire(50);
  CHECK_FALSE(b.try_acquire(~std::uint64_t{0}));
  CHECK_FALSE(a->grow(~std::uint64_t{0} - 10));
  CHECK(b.used() == 50);
}

TEST_CASE("two leases of one budget become one") {
  byte_budget b(100);
  auto one = b.try_acquire(10), two = b.try_acquire(20);
  one->merge(std::move(*two));
  CHECK(one->bytes() == 30);
  byte_lease none;
  none.merge(std::move(*one));
  CHECK(none.bytes() == 30);
  none.release();
  CHECK(b.used() == 0);
}

TEST_CASE("waiters are served first come first served") {
  byte_budget b(100);
  auto held = b.try_acquire(90);
  std::vector<int> order;
  std::vector<byte_lease> leases;
  auto const note = [&](int who) {
    return [&, who](byte_lease l) {
      order.push_back(who);
      leases.push_back(std::move(l));
    };
  };
  b.wait(50, lease_for::work, note(1));
  b.wait(5, lease_for::work, note(2));  // would fit, but came second
  CHECK(order.empty());
  CHECK(b.waiting() == 2);
  CHECK_FALSE(b.try_acquire(1));  // neither does a newcomer overtake
  CHECK(held->grow(5));           // but who holds memory can go on
  held->shrink(50);
  CHECK(order == std::vector<int>{1, 2});
  CHECK(b.used() == 45 + 50 + 5);
  leases.clear();
  CHECK(b.used() == 45);
  SECTION("at once when it fits") {
    b.wait(55, lease_for::work, note(3));
    CHECK(order.back() == 3);
  }
}

TEST_CASE("a cancelled wish is not granted and lets those behind it through") {
  byte_budget b(100);
  auto held = b.try_acquire(90);
  int granted = 0;
  auto const big = b.wait(100, lease_for::work, [&](byte_lease) { granted += 100; });
  auto const small = b.wait(10, lease_for::work, [&](byte_lease) { granted += 1; });
  CHECK(b.cancel(big));
  CHECK(granted == 1);
  CHECK_FALSE(b.cancel(big));
  CHECK_FALSE(b.cancel(small));
  CHECK(b.waiting() == 0);
  held.reset();
  CHECK(b.used() == 0);
}

TEST_CASE("a budget holds under many threads, and no waiter is forgotten") {
  byte_budget b(1000);
  std::atomic<int> granted{0};
  constexpr int per_thread = 5000;
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (unsigned i = 0; i < per_thread; ++i) {
        auto const want = 1 + (i * 37 + t * 101) % 600;
        if (auto l = b.try_acquire(want)) {
          if (l->grow(want % 7)) l->shrink(want % 7);
          ++granted;
        } else {
          b.wait(want, lease_for::work, [&](byte_lease) { ++granted; });
        }
      }
    });
  for (auto& t : threads) t.join();
  CHECK(granted == 4 * per_thread);
  CHECK(b.used() == 0);
  CHECK(b.waiting() == 0);
  CHECK(b.max_used() <= 1000);
}

TEST_CASE("each kind leaves a part to the more urgent ones") {
  byte_budget b(100);
  auto slow = b.try_acquire(50, lease_for::large_input);
  REQUIRE(slow);
  CHECK_FALSE(slow->grow(1, lease_for::large_input));
  auto body = b.try_acquire(25, lease_for::small_input);
  REQUIRE(body);
  CHECK_FALSE(b.try_acquire(1, lease_for::small_input));
  auto work = b.try_acquire(25, lease_for::work);
  REQUIRE(work);
  CHECK_FALSE(work->grow(1));
}

TEST_CASE("the more urgent wish is served first, and what is free is saved up for it") {
  byte_budget b(100);
  auto slow = b.try_acquire(50), body = b.try_acquire(20), work = b.try_acquire(30);
  std::vector<char> order;
  std::vector<byte_lease> leases;
  auto const note = [&](char who) {
    return [&, who](byte_lease l) {
      order.push_back(who);
      leases.push_back(std::move(l));
    };
  };
  b.wait(5, lease_for::large_input, note('l'));
  b.wait(10, lease_for::small_input, note('s'));
  auto const large = b.wait(70, lease_for::work, note('W'));
  b.wait(20, lease_for::work, note('w'));
  slow->release();
  CHECK(order.empty());  // small input would fit
  CHECK(b.cancel(large));
  CHECK(order == std::vector{'w'});  // 70 in use: 10 more would reach into the part that is for work only
  body->release();
  CHECK(order == std::vector{'w', 's'});
  work->release();
  CHECK(order == std::vector{'w', 's', 'l'});
  CHECK(b.used() == 35);
}
