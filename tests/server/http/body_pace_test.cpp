#include "server/core/body_pace.hpp"

#include <catch2/catch.hpp>
#include <optional>
#include <vector>

using namespace profile_relay::server;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

struct one_read {
  milliseconds waited;
  std::uint64_t bytes;
};

/// `count` reads of the same kind.
std::vector<one_read> reads(std::size_t count, milliseconds waited, std::uint64_t bytes) {
  return std::vector<one_read>(count, {waited, bytes});
}

/// The waiting after which the body was too slow, if it ever was.
std::optional<milliseconds> ended_after(body_pace pace, std::vector<one_read> const& all) {
  milliseconds waited{0};
  for (auto const& r : all) {
    // A read may not wait longer than the pace has patience: then the server gives up.
    if (r.waited >= pace.patience())
      return waited + std::chrono::duration_cast<milliseconds>(pace.patience());
    waited += r.waited;
    pace.waited(r.waited);
    pace.received(r.bytes);
  }
  return std::nullopt;
}

}  // namespace

TEST_CASE("which bodies are too slow, and when that is known") {
  struct row {
    char const* name;
    std::uint64_t rate;
    milliseconds window;
    std::vector<one_read> all;
    std::optional<milliseconds> ended;
  };
  using std::nullopt;
  auto const r = GENERATE(values<row>({
      {"a byte a second", 1024, seconds(30), reads(100, seconds(1), 1), seconds(30)},
      {"never a byte", 1024, seconds(30), {{seconds(40), 0}}, seconds(30)},
      {"no rate asked for", 0, seconds(30), reads(100, std::chrono::hours(1), 0), nullopt},
      {"exactly fast enough", 1024, seconds(30), reads(1000, milliseconds(990), 1024), nullopt},
      {"half as fast as it must be", 1024, seconds(30), reads(100, seconds(1), 512), seconds(30)},
      {"a pause shorter than the window",
       1024,
       seconds(30),
       {{seconds(29), 0}, {seconds(0), 30 * 1024}, {seconds(29), 1}},
       nullopt},
      {"a burst buys no more than the next window",
       1024,
       seconds(30),
       {{seconds(0), 1u << 30}, {seconds(31), 1}},
       seconds(30)},
      {"fast, then a trickle",
       1024,
       seconds(30),
       {{seconds(5), 30 * 1024}, {seconds(29), 1}, {seconds(2), 1}},
       seconds(35)},
      {"what is over counts for the next block",
       1000,
       seconds(10),
       {{seconds(1), 19'999}, {seconds(9), 1}, {seconds(9), 1}},
       nullopt},
      {"less than a byte in a window",
       1,
       milliseconds(10),
       {{milliseconds(9), 1}, {milliseconds(9), 1}, {milliseconds(11), 0}},
       milliseconds(28)},
      {"the largest rate", std::uint64_t{1} << 32, std::chrono::hours(72), {{seconds(1), 1}}, nullopt},
  }));
  INFO(r.name);
  CHECK(ended_after(body_pace(r.rate, r.window), r.all) == r.ended);
}

TEST_CASE("without a rule no body is too slow") {
  body_pace pace;
  pace.waited(std::chrono::hours(24 * 365));
  CHECK_FALSE(pace.too_slow());
}

TEST_CASE("a body that was too slow stays so until it has paid") {
  body_pace pace(1000, seconds(10));
  pace.waited(seconds(10));
  CHECK(pace.too_slow());
  pace.received(9'999);
  CHECK(pace.too_slow());
  pace.received(1);
  CHECK_FALSE(pace.too_slow());
  CHECK(pace.patience() == seconds(10));
}
