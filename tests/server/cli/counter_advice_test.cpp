#include "server/io/counter_advice.hpp"

#include <catch2/catch.hpp>

using namespace profile_relay;

TEST_CASE("every counter has an advice") {
  for (auto const& row : perfetto_decode::counter_table()) {
    INFO(row.name);
    CHECK_FALSE(server::advice_for(row.id).empty());
  }
}
