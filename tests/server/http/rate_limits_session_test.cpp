// Quotas over real sockets, with delivery faked behind its port and the clock of quotas in the test's hand.
#include <algorithm>
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "fake_server.hpp"

using namespace profile_relay;
using namespace profile_relay::server;
using namespace profile_relay::server::test;

namespace {

constexpr std::uint64_t t0 = 1'200'000'000;

config::quota quota_of(std::optional<std::uint64_t> limit, std::string reason,
                       std::vector<std::string> categories = {"profile_chunk"}) {
  config::quota q;
  q.id = "q-" + reason;
  q.categories = std::move(categories);
  q.scope = config::quota_scope::project;
  q.limit = limit;
  q.window = 60;
  q.reason_code = std::move(reason);
  return q;
}

struct limited_server : fake_server {
  explicit limited_server(std::vector<config::quota> quotas,
                          std::function<void(http_server_options&, pipeline_settings&)> const& change = {})
      : fake_server(change, 64u << 20, std::move(quotas)) {
    now_s = t0 + 12;
  }
  reply send(std::string const& envelope) {
    connection c(http->port());
    REQUIRE(c.send(post("/api/1/envelope/", good_key, envelope)));
    return c.receive();
  }
  double rejected(std::string const& why) {
    return metric(R"(profile_relay_chunks_rejected_total{reason=")" + why + R"("})");
  }
  double delivered() { return metric(R"(profile_relay_chunks_total{end="delivered"})"); }
  /// All outcomes sent so far, as "id reason category".
  std::vector<std::string> outcomes() {
    std::vector<std::string> out;
    for (auto const& r : delivery.records()) {
      if (r.topic != profile::logical_topic::outcomes) continue;
      auto const json = nlohmann::json::parse(r.value);
      out.push_back(std::to_string(json.at("outcome").get<int>()) + ' ' + json.value("reason", "-") + ' ' +
                    std::to_string(json.at("category").get<int>()));
    }
    return out;
  }
};

using lines = std::vector<std::string>;

/// An envelope of one chunk without a platform in its item header.
std::string without_platform(std::string const& payload) {
  return "{}\n"
         R"({"type":"profile_chunk","length":)" +
         std::to_string(payload.size()) + "}\n" + payload + "\n";
}

}  // namespace

TEST_CASE("a chunk over its quota: 429, both headers, one outcome") {
  limited_server s({quota_of(1, "chunk_quota")});
  auto const first = s.send(envelope_of({good_chunk()}));
  CHECK(first.status == 200);
  CHECK_FALSE(first.headers.contains("x-sentry-rate-limits"));
  auto const second = s.send(envelope_of({good_chunk()}));
  CHECK(second.status == 429);
  CHECK(second.headers.at("x-sentry-rate-limits") == "48:profile_chunk:project:chunk_quota");
  CHECK(second.headers.at("retry-after") == "48");
  CHECK(nlohmann::json::parse(second.body).at("detail") == "profile_chunk is rate limited");
  CHECK(s.outcomes() == lines{"2 chunk_quota 18"});
  CHECK(s.rejected("rate_limited") == 1);
  CHECK(s.delivered() == 1);
  s.now_s = t0 + 60;
  CHECK(s.send(envelope_of({good_chunk()})).status == 200);
  CHECK(s.delivered() == 2);
  CHECK(s.metric("profile_relay_untracked_chunks_total") == 0);
}

TEST_CASE("several limits: the longest is the Retry-After and gives the reason") {
  auto slow = quota_of(1, "slow", {"profile_chunk_ui", "profile_chunk"});
  slow.window = 100;
  limited_server s({quota_of(1, "fast"), slow});
  CHECK(s.send(envelope_of({good_chunk()})).status == 200);
  auto const r = s.send(envelope_of({good_chunk()}));
  CHECK(r.status == 429);
  CHECK(r.headers.at("x-sentry-rate-limits") ==
        "48:profile_chunk:project:fast, 88:profile_chunk_ui;profile_chunk:project:slow");
  CHECK(r.headers.at("retry-after") == "88");
  CHECK(s.outcomes() == lines{"2 slow 18"});
}

TEST_CASE("an outcome of a quota without a reason has none") {
  limited_server s({quota_of(0, "")});
  CHECK(s.send(envelope_of({good_chunk()})).status == 429);
  CHECK(s.outcomes() == lines{"2 - 18"});
}

TEST_CASE("limited chunks beside others") {
  struct row {
    char const* name;
    std::uint64_t limit;
    std::vector<std::string> payloads;
    int status;
    lines outcomes;
    int delivered;
  };
  std::string const large(3000, 'x');
  auto const r = GENERATE_COPY(values<row>({
      {"the second is over: 200", 1, {good_chunk(), good_chunk()}, 200, {"2 full 18"}, 1},
      {"all are over", 0, {good_chunk(), good_chunk()}, 429, {"2 full 18", "2 full 18"}, 0},
      {"a bad one is not counted", 1, {"bad", good_chunk()}, 200, {"3 profiling_invalid_json 18"}, 1},
      {"one over beside a bad one: 200",
       1,
       {good_chunk(), good_chunk(), "bad"},
       200,
       {"2 full 18", "3 profiling_invalid_json 18"},
       1},
      {"a large one is not counted", 1, {large, good_chunk()}, 200, {"3 too_large:profile_chunk 18"}, 1},
      {"limited comes before large", 0, {large}, 429, {"2 full 18"}, 0},
  }));
  INFO(r.name);
  limited_server s({quota_of(r.limit, "full")},
                   [](http_server_options&, pipeline_settings& p) { p.max_profile_size = 2048; });
  auto const got = s.send(envelope_of(r.payloads));
  CHECK(got.status == r.status);
  auto sent = s.outcomes();
  std::ranges::sort(sent);
  CHECK(sent == r.outcomes);
  CHECK(s.delivered() == r.delivered);
  auto const limited = std::ranges::count(r.outcomes, "2 full 18");
  CHECK(got.headers.contains("x-sentry-rate-limits") == (limited > 0));
  CHECK(got.headers.contains("retry-after") == (r.status == 429));
}

TEST_CASE("with the platform in the header the payload of a limited chunk is not parsed, without it is") {
  limited_server s({quota_of(0, "off")});
  CHECK(s.send(envelope_of({"not even json"})).status == 429);
  CHECK(s.outcomes() == lines{"2 off 18"});
  CHECK(s.send(without_platform("not even json")).status == 200);
  CHECK(s.outcomes() == lines{"2 off 18", "3 profiling_invalid_json 18"});
  CHECK(s.send(without_platform(good_chunk())).status == 429);
  CHECK(s.outcomes() == lines{"2 off 18", "3 profiling_invalid_json 18", "2 off 18"});
}

TEST_CASE("the category is the platform's") {
  limited_server s({quota_of(0, "ui", {"profile_chunk_ui"})});
  CHECK(s.send(envelope_of({good_chunk()})).status == 200);
  auto android = good_chunk();
  android.replace(android.find("python"), 6, "android");
  CHECK(s.send(without_platform(android)).status == 429);
  CHECK(s.outcomes() == lines{"2 ui 26"});
}

TEST_CASE("the header tells of every limit that a chunk of the request met") {
  limited_server s({quota_of(0, "ui", {"profile_chunk_ui"}), quota_of(0, "backend", {"profile_chunk"})});
  auto both = envelope_of({good_chunk(), good_chunk()});
  both.replace(both.find("python"), 6, "cocoa");
  auto const r = s.send(both);
  CHECK(r.status == 429);
  CHECK(r.headers.at("x-sentry-rate-limits") ==
        "60:profile_chunk_ui:project:ui, 60:profile_chunk:project:backend");
  CHECK(s.outcomes() == lines{"2 ui 26", "2 backend 18"});
}

TEST_CASE("a limited chunk beside one that finds no place: 503, and the header all the same") {
  limited_server s({quota_of(1, "full")});
  s.delivery.end_with(record_end::unavailable);
  auto const r = s.send(envelope_of({good_chunk(), good_chunk()}));
  CHECK(r.status == 503);
  CHECK(r.headers.at("x-sentry-rate-limits") == "48:profile_chunk:project:full");
  CHECK(r.headers.at("retry-after") == "30");
}

TEST_CASE("quotas of other projects do not matter") {
  limited_server s({quota_of(0, "off")});
  connection c(s.http->port());
  REQUIRE(c.send(post("/api/4/envelope/", site_key, envelope_of({good_chunk()}))));
  CHECK(c.receive().status == 200);
}
