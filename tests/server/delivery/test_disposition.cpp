#include <catch2/catch.hpp>
#include <vector>

#include "server/core/tracked_chunk.hpp"

using namespace profile_relay::server;

TEST_CASE("the end of a record says what becomes of its chunk") {
  struct row {
    record_end end;
    disposition expected;
    std::string_view name;
  };
  row const rows[] = {
      {record_end::delivered, disposition::delivered(), "delivered"},
      {record_end::spooled, disposition::spooled(), "spooled"},
      {record_end::too_large, disposition::rejected(reason::profiling_exceed_size_limit), "too_large"},
      {record_end::unavailable, disposition::rejected(reason::unavailable), "unavailable"},
  };
  for (auto const& r : rows) {
    CAPTURE(r.name);
    CHECK(disposition::of(r.end) == r.expected);
    CHECK(to_string(r.end) == r.name);
  }
  CHECK_FALSE(disposition::rejected(reason::internal) == disposition::rejected(reason::unavailable));
  CHECK_FALSE(disposition::delivered() == disposition::spooled());
  CHECK(disposition::spooled().accepted());
  CHECK_FALSE(disposition::rejected(reason::internal).accepted());
}

namespace {

struct recording_ends : chunk_ends {
  void ended(std::size_t index, disposition d) override { ends.emplace_back(index, d); }
  bool forgotten(std::size_t index) noexcept override {
    lost.push_back(index);
    return false;
  }
  std::vector<std::pair<std::size_t, disposition>> ends;
  std::vector<std::size_t> lost;
};

}  // namespace

TEST_CASE("a tracked chunk tells its end once") {
  recording_ends ends;
  {
    tracked_chunk a(ends, 7);
    CHECK(a.open());
    tracked_chunk b = std::move(a);
    CHECK_FALSE(a.open());
    CHECK(b.index() == 7);
    std::move(b).end(disposition::spooled());
    CHECK_FALSE(b.open());
  }
  REQUIRE(ends.ends.size() == 1);
  CHECK(ends.ends[0].first == 7);
  CHECK(ends.ends[0].second == disposition::spooled());
  CHECK(ends.lost.empty());
}

TEST_CASE("a tracked chunk that is dropped without an end is reported") {
  recording_ends ends;
  { tracked_chunk a(ends, 3); }
  CHECK(ends.lost == std::vector<std::size_t>{3});
  SECTION("also when another one is assigned over it") {
    tracked_chunk a(ends, 4);
    a = tracked_chunk(ends, 5);
    CHECK(ends.lost == std::vector<std::size_t>{3, 4});
    std::move(a).end(disposition::delivered());
  }
  SECTION("also when an exception passes by") {
    try {
      tracked_chunk a(ends, 6);
      throw 1;
    } catch (int) {
    }
    CHECK(ends.lost == std::vector<std::size_t>{3, 6});
  }
}
