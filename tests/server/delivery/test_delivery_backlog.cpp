#include <catch2/catch.hpp>

#include "server/core/delivery_backlog.hpp"

using namespace profile_relay::server;
using namespace std::chrono_literals;

namespace {
delivery_time const t0{std::chrono::hours(1)};
}

TEST_CASE("pauses double up to the longest and start over after a success") {
  backlog_cursor c({1s, 4s});
  auto now = t0;
  std::vector<std::chrono::milliseconds> pauses;
  for (int i = 0; i < 5; ++i) {
    c.note_failure(now, 1);
    pauses.push_back(std::chrono::duration_cast<std::chrono::milliseconds>(c.not_before() - now));
    now = c.not_before();
  }
  CHECK(pauses == std::vector<std::chrono::milliseconds>{1s, 2s, 4s, 4s, 4s});
  c.note_success();
  c.note_failure(now + 10s, 1);
  CHECK(c.not_before() == now + 11s);
}

TEST_CASE("failures within one pause count once") {
  backlog_cursor c({1s, 30s});
  c.note_failure(t0, 1);
  c.note_failure(t0 + 10ms, 2);
  c.note_failure(t0 + 20ms, 3);
  CHECK(c.not_before() == t0 + 1s);
}

TEST_CASE("after a success the walk starts again at the lowest key that failed") {
  backlog_cursor c({1s, 30s});
  c.start();
  c.finish(t0, 100);
  c.note_failure(t0, 42);
  c.note_failure(t0, 17);
  CHECK(c.start() == 100);  // probing: the next one
  c.finish(t0, 101);
  c.note_success();
  CHECK(c.start() == 16);
}

TEST_CASE("nothing is pending once a read found nothing and nothing came meanwhile") {
  backlog_cursor c({1s, 30s});
  CHECK(c.pending());
  c.start();
  SECTION("nothing came") {
    c.finish(t0, std::nullopt);
    CHECK_FALSE(c.pending());
    c.note_spooled();
    CHECK(c.pending());
  }
  SECTION("a record came during the read") {
    c.note_spooled();
    c.finish(t0, std::nullopt);
    CHECK(c.pending());
  }
}
