#include "server/core/reply.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <vector>

using namespace profile_relay::server;

namespace {

chunk_fate const accepted{};
chunk_fate const no_place{reason::unavailable, true};
chunk_fate const invalid{reason::profiling_invalid_json, false};
chunk_fate const invalid_without_outcome{reason::profiling_invalid_json, true};
chunk_fate const flag{reason::feature_disabled, false};
chunk_fate const large{reason::too_large, false};
chunk_fate const many{reason::too_many_chunks, false};
chunk_fate const limited{reason::rate_limited, false};
chunk_fate const broken{reason::internal, false};

}  // namespace

TEST_CASE("several chunks with different ends") {
  struct row {
    char const* name;
    std::vector<chunk_fate> fates;
    int status;
  };
  auto const r = GENERATE(values<row>({
      {"no chunk at all", {}, 200},
      {"accepted", {accepted}, 200},
      {"rejected by content", {invalid}, 200},
      {"dropped by a flag", {flag}, 200},
      {"too large", {large}, 413},
      {"all too large or too many", {large, many, many}, 413},
      {"one too large among others", {large, accepted}, 200},
      {"too large beside an invalid one", {large, invalid}, 200},
      {"all limited", {limited, limited}, 429},
      {"one limited", {limited, accepted}, 200},
      {"limited and too large: wait first", {large, limited}, 429},
      {"our own failure", {broken}, 500},
      {"our own failure beside a good one", {broken, accepted}, 200},
      {"our own failure beside one too large", {large, broken}, 500},
      {"no place", {no_place}, 503},
      {"no place for one of three", {accepted, no_place, invalid}, 503},
      {"the outcome found no place", {invalid_without_outcome}, 503},
      {"no place beside one too large", {large, no_place}, 503},
  }));
  INFO(r.name);
  auto const reply = reply_to(r.fates, "0123456789abcdef0123456789abcdef");
  CHECK(reply.status == r.status);
  CHECK((reply.retry_after > 0) == (r.status == 503));
  auto const body = nlohmann::json::parse(reply.body);
  if (r.status == 200)
    CHECK(body == nlohmann::json{{"id", "0123456789abcdef0123456789abcdef"}});
  else
    CHECK(body.at("detail").get<std::string>().size() > 0);
}

TEST_CASE("a reply without an event id is an empty object") {
  CHECK(reply_to(std::vector{accepted}, std::nullopt).body == "{}");
  CHECK(reply_to({}, std::nullopt).body == "{}");
}

TEST_CASE("an error body names its detail, and its causes only if there are some") {
  auto const plain = nlohmann::json::parse(error_reply(reason::unknown_key).body);
  CHECK(plain.at("detail") == row_of(reason::unknown_key).detail);
  CHECK_FALSE(plain.contains("causes"));
  auto const reply = error_reply(reason::envelope_unexpected_eof, "at byte 3 \xff");
  auto const chain = nlohmann::json::parse(reply.body);
  CHECK(chain.at("causes").size() == 2);
  CHECK(chain.at("causes")[0] == chain.at("detail"));
  CHECK(chain.at("causes")[1].get<std::string>().starts_with("at byte 3 "));
  CHECK(reply.status == 400);
  CHECK(reply.refused_by == reason::envelope_unexpected_eof);
}
