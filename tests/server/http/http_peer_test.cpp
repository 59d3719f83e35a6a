#include "server/io/http_peer.hpp"

#include <catch2/catch.hpp>

using namespace profile_relay::server;

TEST_CASE("X-Forwarded-For is believed only from trusted proxies") {
  profile_relay::config::ip_networks proxies;
  for (auto const* text : {"10.0.0.0/8", "192.0.2.7", "2001:db8::/32", "fe80::/10"})
    REQUIRE(proxies.add(text));
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
      {"fe80::1%eth0", "198.51.100.1", "198.51.100.1"},
      {"fe80::1%eth0", nullptr, "fe80::1"},
      {"10.1.2.3", "::ffff:198.51.100.1", "198.51.100.1"},
  }));
  INFO(r.peer);
  auto const forwarded = r.forwarded == nullptr ? std::nullopt : std::optional<std::string_view>(r.forwarded);
  CHECK(client_address(r.peer, forwarded, proxies) == r.client);
}
