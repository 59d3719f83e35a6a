#include "server/io/http_body.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <utility>

using namespace profile_relay::server;

TEST_CASE("a body keeps its content while it grows, also when it gets pages of its own") {
  http_body body;
  std::string expected;
  auto const fill = [&](std::size_t n) {
    while (n-- > 0 && !body.room().empty()) {
      expected += static_cast<char>('a' + expected.size() % 23);
      body.room()[0] = static_cast<std::byte>(expected.back());
      body.commit(1);
    }
  };
  for (std::size_t const capacity : {1'000u, 100'000u, 131'071u, 131'072u, 131'073u, 400'000u, 3'000'000u}) {
    body.reserve(capacity);
    REQUIRE(body.capacity() == capacity);
    fill(capacity);
    REQUIRE(body.size() == capacity);
    CHECK(body.view().text() == expected);
    // Readers may look this far past the end.
    volatile auto const last = body.room().data()[profile_relay::envelope::read_ahead - 1];
    (void)last;
  }
  body.reserve(10);
  CHECK(body.capacity() == 3'000'000);
  auto taken = std::exchange(body, {});
  CHECK(taken.view().text() == expected);
  CHECK(body.size() == 0);
  CHECK(body.capacity() == 0);
}
