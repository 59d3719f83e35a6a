// What an operator writes reaches the listeners and sessions.
#include <chrono>

#include "server/io/http_server.hpp"
#include "tests/config/support.hpp"

using namespace std::chrono_literals;
namespace server = profile_relay::server;

TEST_CASE("options of the HTTP side come from the configuration") {
  auto const loaded = config_test::load_text(R"(
relay: {host: "::1", port: 1, internal_host: 10.0.0.1, internal_port: 2}
http: {trusted_proxies: [10.0.0.0/8]}
limits:
  {max_thread_count: 3, tcp_listen_backlog: 17, max_connections: 19, header_timeout: 21, body_timeout: 22,
   keepalive_timeout: 23, max_envelope_size: 24, min_body_rate: 25}
)");
  REQUIRE(loaded.has_value());
  auto const o = server::make_http_options(loaded->values);
  CHECK(o.host == "::1");
  CHECK(o.port == 1);
  CHECK(o.internal_host == "10.0.0.1");
  CHECK(o.internal_port == 2);
  CHECK(o.trusted_proxies == std::vector<std::string>{"10.0.0.0/8"});
  CHECK(o.threads == 3);
  CHECK(o.workers == 3);
  CHECK(o.backlog == 17);
  CHECK(o.max_connections == 19u);
  CHECK(o.header_timeout == 21s);
  CHECK(o.body_timeout == 22s);
  CHECK(o.keepalive_timeout == 23s);
  CHECK(o.max_envelope_size == 24);
  CHECK(o.min_body_rate == 25);
  CHECK(o.body_rate_window == 66s);
}
