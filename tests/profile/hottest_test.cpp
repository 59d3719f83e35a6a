#include "profile/hottest.hpp"

#include <catch2/catch.hpp>

#include "json_io.hpp"
#include "print_error.hpp"
#include "worked_example.hpp"

using namespace profile_relay::profile;

namespace {
result<profile_summary> summary_of(std::string_view text, std::size_t functions) {
  const profile_relay::envelope::padded_copy buffer(text);
  return summarise(buffer.view(), functions);
}
}  // namespace

// The worked example reads: thread 4100 is in decode_price for 9.9 ms, then in main for 9.9 ms; thread 4117
// draws 9.9 ms of a native frame without a name.
TEST_CASE("self time is the leaf's, until the next sample of the same thread") {
  const auto s = summary_of(worked_example, 10);
  REQUIRE(s);
  CHECK(s->samples == 5);
  CHECK(s->threads == 2);
  CHECK(s->frames == 5);
  CHECK(s->stacks == 3);
  CHECK(s->span_seconds == Approx(0.0198).epsilon(1e-4));
  CHECK(s->busy_seconds == Approx(0.0297).epsilon(1e-4));
  REQUIRE(s->hottest.size() == 3);
  std::vector<std::string> names;
  for (auto const& f : s->hottest) {
    names.push_back(f.name + " | " + f.package);
    CHECK(f.seconds == Approx(0.0099).epsilon(1e-4));
    CHECK(f.share == Approx(1.0 / 3).epsilon(1e-4));
  }
  std::sort(names.begin(), names.end());
  CHECK(names == std::vector<std::string>{"android.app.ActivityThread.main | boot-framework.oat",
                                          "decode_price | libshop.so",
                                          "libshop.so 0x7a10002a40 | libshop.so"});
}

TEST_CASE("addresses of one function add up, and the hottest come first") {
  auto text = std::string(worked_example);
  text = with(text, R"({"instruction_addr": "0x7a10002a40",)", R"({"function": "decode_price",)");
  const auto s = summary_of(text, 1);
  REQUIRE(s);
  REQUIRE(s->hottest.size() == 1);
  CHECK(s->hottest[0].name == "decode_price");
  CHECK(s->hottest[0].share == Approx(2.0 / 3).epsilon(1e-4));
}

TEST_CASE("idle time is nobody's") {
  auto text = with(std::string(worked_example), "[2]]", "[]]");
  text = with(text, R"({"timestamp": 1790000000.0198, "stack_id": 0)",
              R"({"timestamp": 1790000000.5, "stack_id": 0)");
  const auto s = summary_of(text, 10);
  REQUIRE(s);
  CHECK(s->hottest.size() == 2);
  CHECK(s->busy_seconds == Approx(0.0198).epsilon(1e-4));
}

TEST_CASE("what is no payload is refused") {
  CHECK(summary_of("{", 10).error().code == errc::invalid_json);
  CHECK(summary_of(with(std::string(worked_example), "[3, 4]", "[3, 5]"), 10).error().code ==
        errc::malformed_stacks);
}
