#include "sdk/transport/rate_limits.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

using namespace profile_relay::sdk;

namespace {
constexpr std::int64_t none = -1;
std::int64_t seconds(std::optional<std::chrono::seconds> const& limit) {
  return limit ? limit->count() : none;
}
}  // namespace

TEST_CASE("X-Sentry-Rate-Limits") {
  struct row {
    char const* text;
    bool understood;
    std::int64_t chunks;
  };
  std::vector<row> const rows{
      {"", false, none},
      {"60:profile_chunk:project", true, 60},
      {"60:profile_chunk_ui:project", true, 60},
      {"60:all:project", true, 60},
      {"60::organization", true, 60},
      {"60:", true, 60},
      {"60: :organization", true, 60},
      {"60:profile_chunk", true, 60},
      {"60:profile_chunk:project:quota:namespace;other", true, 60},
      {"60:error;profile_chunk;log:project:quota", true, 60},
      {" 60 : error ; profile_chunk : project ", true, 60},
      {"60:error;transaction:key", true, none},
      {"60:profile:key", true, none},
      {"60:Profile_Chunk:key", true, none},
      {"60:profile_chunks:key", true, none},
      {"60:;:key", true, none},
      {"0:profile_chunk:key", true, 0},
      // The longest of what holds.
      {"60:profile_chunk;profile_chunk_ui:project:chunk_quota, 2700::organization", true, 2700},
      {"2700:profile_chunk:key,60::key", true, 2700},
      {"60:profile_chunk:key,2700:error:key", true, 60},
      // Fractions.
      {"0.1::key", true, 1},
      {"59.0::key", true, 59},
      {"59.000001::key", true, 60},
      // Damaged entries beside good ones, and alone.
      {"60", false, none},
      {"profile_chunk:60:key", false, none},
      {":profile_chunk:key", false, none},
      {"-5::key", false, none},
      {"+5::key", false, none},
      {"5s::key", false, none},
      {"1e3::key", false, none},
      {"nan::key, inf::key, 0x10::key", false, none},
      {",,,", false, none},
      {"x::key, 60:profile_chunk:key, ,-1::key", true, 60},
      {"60;profile_chunk;key", false, none},
      // No sum of times overflows.
      {"99999999999999999999999999::key", true, longest_limit.count()},
  };
  for (auto const& r : rows) {
    INFO(r.text);
    auto const read = parse_rate_limits(r.text);
    CHECK(read.understood == r.understood);
    CHECK(seconds(read.chunks) == r.chunks);
  }
  CHECK(seconds(parse_rate_limits(std::string(400, '9') + "::key").chunks) == longest_limit.count());
}

TEST_CASE("Retry-After") {
  // Wed, 25 Nov 2026 12:00:00 GMT
  constexpr std::int64_t now = 1795608000;
  struct row {
    char const* text;
    std::int64_t wait;
  };
  std::vector<row> const rows{
      {"60", 60},
      {" 60 ", 60},
      {"0", 0},
      {"1.2", 2},
      {"Wed, 25 Nov 2026 12:02:00 GMT", 120},
      {"Wednesday, 25-Nov-26 12:02:00 GMT", 120},
      {"Wed Nov 25 12:02:00 2026", 120},
      {"Wed, 25 Nov 2026 11:00:00 GMT", 0},
      {"Wed, 25 Nov 2099 12:00:00 GMT", longest_limit.count()},
      {"", none},
      {"-60", none},
      {"soon", none},
      {"Whenever", none},
      {"60 s", none},
      {"20261125", longest_limit.count()},
  };
  for (auto const& r : rows) {
    INFO(r.text);
    CHECK(seconds(parse_retry_after(r.text, now)) == r.wait);
  }
}
