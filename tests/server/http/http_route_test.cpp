#include "server/io/http_route.hpp"

#include <catch2/catch.hpp>

using namespace profile_relay::server;
using kind = http_route::kind;

TEST_CASE("routes of contract 5.1") {
  struct row {
    char const* target;
    kind what;
    std::optional<std::uint64_t> project = std::nullopt;
  };
  auto const r = GENERATE(values<row>({
      {"/api/42/envelope/", kind::envelope, 42},
      {"/api/42/envelope", kind::envelope, 42},
      {"//api///42//envelope//", kind::envelope, 42},
      {"/api/42/envelope/?sentry_key=x", kind::envelope, 42},
      {"http://relay.example/api/42/envelope/", kind::envelope, 42},
      {"/api/18446744073709551615/envelope/", kind::envelope, 18446744073709551615u},
      {"/api/18446744073709551616/envelope/", kind::envelope},
      {"/api/-1/envelope/", kind::envelope},
      {"/api/4 2/envelope/", kind::envelope},
      {"/api/shop/envelope/", kind::envelope},
      {"/api/42/envelope/more", kind::unknown},
      {"/api/relay/healthcheck/live/", kind::live},
      {"/api/relay/healthcheck/live", kind::live},
      {"/api/relay/healthcheck/ready/", kind::ready},
      {"/api/0/relays/live/", kind::live},
      {"/api/relay/healthcheck/", kind::unknown},
      {"/api/relay/events/1/", kind::unknown},
      {"/metrics", kind::metrics},
      {"/metrics/", kind::metrics},
      {"/api/store/", kind::not_served},
      {"/api/42/store/", kind::not_served},
      {"/api/42/security/", kind::not_served},
      {"/api/42/minidump/", kind::not_served},
      {"/api/42/unreal/abc/", kind::not_served},
      {"/api/42/otlp/v1/traces/", kind::not_served},
      {"/api/42/integration/otlp/v1/traces/", kind::not_served},
      {"/api/42/cron/monitor/abc/", kind::not_served},
      {"/api/0/relays/projectconfigs/", kind::not_served},
      {"/api/0/relays/register/challenge/", kind::not_served},
      {"/", kind::unknown},
      {"", kind::unknown},
      {"*", kind::unknown},
      {"/api", kind::unknown},
      {"/api/42", kind::unknown},
      {"/api/42/nonsense/", kind::unknown},
  }));
  INFO(r.target);
  auto const got = find_route(r.target, http_endpoint::all);
  CHECK(got.what == r.what);
  CHECK(got.project_id == r.project);
}

TEST_CASE("the query goes to authentication as it stands") {
  CHECK(find_route("/api/1/envelope/?sentry_key=a%2Fb&x#frag", http_endpoint::all).query ==
        "sentry_key=a%2Fb&x");
}

TEST_CASE("with an internal address, metrics move there and envelopes stay") {
  CHECK(find_route("/metrics", http_endpoint::external).what == kind::unknown);
  CHECK(find_route("/metrics", http_endpoint::internal).what == kind::metrics);
  CHECK(find_route("/api/1/envelope/", http_endpoint::internal).what == kind::unknown);
  CHECK(find_route("/api/1/envelope/", http_endpoint::external).what == kind::envelope);
  CHECK(find_route("/api/relay/healthcheck/ready/", http_endpoint::internal).what == kind::ready);
  CHECK(find_route("/api/relay/healthcheck/ready/", http_endpoint::external).what == kind::ready);
}
