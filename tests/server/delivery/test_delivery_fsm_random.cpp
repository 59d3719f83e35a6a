// Random lives of the state machine: outages, failing spools, shutdowns and restarts in any order. After
// each, no promise may be broken: one end for each submit, bytes within budget and back to 0, nothing
// answered is lost, nothing delivered is kept. PROFILE_RELAY_RANDOM_RUNS sets how many; a failure names its
// seed.
#include <catch2/catch.hpp>
#include <cstdlib>

#include "tests/server/delivery/fsm_world.hpp"

using namespace profile_relay::server;

namespace {

std::uint32_t runs() {
  auto const* text = std::getenv("PROFILE_RELAY_RANDOM_RUNS");
  return text ? static_cast<std::uint32_t>(std::strtoul(text, nullptr, 10)) : 20'000;
}

}  // namespace

TEST_CASE("no random sequence breaks a promise of delivery") {
  for (std::uint32_t seed = 1; seed <= runs(); ++seed) {
    fsm_world w(seed, seed % 4 != 0);
    for (unsigned i = 0; i < 10 + seed % 90; ++i) w.random_step();
    if (seed % 3 == 0) {
      w.shut_down();
      w.restart(true);
    } else if (seed % 4 == 0) {
      w.settle();
      w.restart(true);
    }
    w.settle();
    w.check_all_kept();
    REQUIRE(w.broken == std::vector<std::string>{});
  }
}
