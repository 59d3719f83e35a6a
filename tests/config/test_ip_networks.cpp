#include <catch2/catch.hpp>

#include "config/ip_networks.hpp"

using namespace profile_relay::config;

TEST_CASE("addresses have one text, whatever they came as") {
  struct row {
    char const *given, *shown;
    bool v4;
  };
  row const rows[] = {
      {"127.0.0.1", "127.0.0.1", true},
      {"0.0.0.0", "0.0.0.0", true},
      {"::1", "::1", false},
      {"::", "::", false},
      {"FD00:0:0::1", "fd00::1", false},
      {"::ffff:10.1.2.3", "10.1.2.3", true},
      {"::ffff:a01:203", "10.1.2.3", true},
      {"::fffe:10.1.2.3", "::fffe:a01:203", false},
      {"::10.1.2.3", "::10.1.2.3", false},
  };
  for (auto const& r : rows) {
    INFO(r.given);
    auto const parsed = ip_address::parse(r.given);
    REQUIRE(parsed);
    CHECK(parsed->text() == r.shown);
    CHECK(parsed->is_v4() == r.v4);
  }
}

TEST_CASE("what is neither an address nor a network is refused") {
  for (auto const* text :
       {"", "localhost", "10.0.0", "10.0.0.0/33", "10.0.0.0/", "/8", "::/129", "10.0.0.0/8/8", "10.0.0.0/-1",
        "[::1]", "1.2.3.4:80", "fe80::1%eth0", " 1.2.3.4", "010.0.0.1"}) {
    INFO(text);
    ip_networks none;
    CHECK_FALSE(none.add(text));
    CHECK(none.size() == 0);
  }
  CHECK_FALSE(ip_address::parse("10.0.0.0/8"));
  CHECK_FALSE(ip_address::parse(std::string_view("1.2.3.4\0x", 9)));
}

TEST_CASE("which network an address is in") {
  struct row {
    char const *network, *address;
    bool inside;
  };
  row const rows[] = {
      {"192.0.2.7", "192.0.2.7", true},
      {"192.0.2.7", "192.0.2.6", false},
      {"192.0.2.7", "::ffff:192.0.2.7", true},
      {"::ffff:192.0.2.7", "192.0.2.7", true},
      {"10.0.0.0/8", "10.255.255.255", true},
      {"10.0.0.0/8", "11.0.0.0", false},
      {"10.1.2.3/8", "10.9.9.9", true},
      {"10.0.0.0/8", "::ffff:10.1.2.3", true},
      {"::ffff:10.0.0.0/104", "10.1.2.3", true},
      {"192.0.2.128/25", "192.0.2.127", false},
      {"192.0.2.128/25", "192.0.2.128", true},
      {"192.0.2.8/31", "192.0.2.9", true},
      {"192.0.2.8/31", "192.0.2.10", false},
      {"192.0.2.8/32", "192.0.2.9", false},
      {"0.0.0.0/0", "203.0.113.1", true},
      {"0.0.0.0/0", "2001:db8::1", false},
      {"::/0", "2001:db8::1", true},
      {"::/0", "203.0.113.1", false},
      {"::/0", "::ffff:203.0.113.1", false},
      {"2001:db8::/32", "2001:db8:ffff::1", true},
      {"2001:db8::/32", "2001:db9::1", false},
      {"2001:db8::/33", "2001:db8:8000::", false},
      {"2001:db8::1", "2001:db8:0:0::1", true},
      {"2001:db8::1/128", "2001:db8::2", false},
      {"10.0.0.0/8", "", false},
      {"0.0.0.0/0", "localhost", false},
  };
  for (auto const& r : rows) {
    INFO(r.network << " " << r.address);
    ip_networks networks;
    REQUIRE(networks.add(r.network));
    CHECK(networks.contains(r.address) == r.inside);
  }
}

TEST_CASE("one network of several is enough") {
  ip_networks networks;
  CHECK_FALSE(networks.contains("10.0.0.1"));
  REQUIRE(networks.add("192.0.2.7"));
  REQUIRE(networks.add("2001:db8::/32"));
  REQUIRE(networks.add("10.0.0.0/8"));
  CHECK(networks.size() == 3);
  CHECK(networks.contains("10.0.0.1"));
  CHECK(networks.contains("2001:db8::5"));
  CHECK_FALSE(networks.contains("192.0.2.8"));
}
