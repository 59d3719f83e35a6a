#include "server/io/http_peer.hpp"

#include <catch2/catch.hpp>

using namespace profile_relay::server;

TEST_CASE("X-Forwarded-For is believed only from trusted proxies") {
  std::string bad;
  auto const proxies = trusted_proxies::parse({"10.0.0.0/8", "192.0.2.7", "2001:db8::/32"}, bad);
  REQUIRE(proxies);
  struct row {
    char const *peer, *forwarded, *client;
  };
  auto const r = GENERATE(values<row>({
      {"10.1.2.3", "198.51.100.1", "198.51.100.1"},
      {"10.1.2.3", " 198.51.100.1 , 10.0.0.1", "198.51.100.1"},
      {"10.1.2.3", nullptr, "10.1.2.3"},
      {"10.1.2.3", "nonsense", "10.1.2.3"},
      {"10.1.2.3", "", "10.1.2.3"},
      {"11.1.2.3", "198.51.100.1", "11.1.2.3"},
      {"192.0.2.7", "2001:db8::1", "2001:db8::1"},
      {"192.0.2.8", "198.51.100.1", "192.0.2.8"},
      {"::ffff:10.1.2.3", "198.51.100.1", "198.51.100.1"},
      {"::ffff:11.1.2.3", "198.51.100.1", "11.1.2.3"},
      {"2001:db8:5::1", "198.51.100.1", "198.51.100.1"},
      {"2001:db9::1", "198.51.100.1", "2001:db9::1"},
  }));
  INFO(r.peer);
  auto const forwarded = r.forwarded == nullptr ? std::nullopt : std::optional<std::string_view>(r.forwarded);
  CHECK(client_address(r.peer, forwarded, *proxies) == r.client);
}

TEST_CASE("what is neither an address nor a network is named") {
  auto const text = GENERATE("localhost", "10.0.0.0/33", "10.0.0", "");
  std::string bad;
  CHECK_FALSE(trusted_proxies::parse({"10.0.0.1", text}, bad));
  CHECK(bad == text);
}
