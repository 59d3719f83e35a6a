#include "envelope/dsn.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

using namespace profile_relay::envelope;

namespace {
std::string const key = "a94ae32be2584e0bbd7a4cbb95971fee";
}

TEST_CASE("DSNs that are understood") {
  struct row {
    char const* name;
    std::string text;
    dsn expected;
  };
  std::vector<row> const rows{
      {"plain", "https://" + key + "@sentry.io/42", {"https", key, "sentry.io", {}, 42}},
      {"port", "http://" + key + "@127.0.0.1:3000/1", {"http", key, "127.0.0.1", 3000, 1}},
      {"upper case", "HTTP://A94AE32BE2584E0BBD7A4CBB95971FEE@Host/1", {"http", key, "Host", {}, 1}},
      {"secret", "https://" + key + ":5ec4e7@host/1", {"https", key, "host", {}, 1}},
      {"empty secret", "https://" + key + ":@host/1", {"https", key, "host", {}, 1}},
      {"flag suffix", "https://" + key + "-no-cache@host/1", {"https", key, "host", {}, 1}},
      {"path prefix", "https://" + key + "@host/a/b/7", {"https", key, "host", {}, 7}},
      {"slash at the end", "https://" + key + "@host/7/", {"https", key, "host", {}, 7}},
      {"IPv6", "http://" + key + "@[::1]:3000/1", {"http", key, "[::1]", 3000, 1}},
      {"IPv6 without port", "http://" + key + "@[::1]/1", {"http", key, "[::1]", {}, 1}},
      {"largest project id",
       "http://" + key + "@host/18446744073709551615",
       {"http", key, "host", {}, 18446744073709551615U}},
  };
  for (auto const& r : rows) {
    INFO(r.name);
    auto const parsed = parse_dsn(r.text);
    REQUIRE(parsed.has_value());
    CHECK((*parsed == r.expected));
  }
}

TEST_CASE("texts that are no DSN") {
  struct row {
    char const* name;
    std::string text;
  };
  std::vector<row> const rows{
      {"empty", ""},
      {"no scheme", key + "@host/1"},
      {"other scheme", "ftp://" + key + "@host/1"},
      {"no key", "https://host/1"},
      {"empty key", "https://@host/1"},
      {"short key", "https://" + key.substr(1) + "@host/1"},
      {"long key", "https://" + key + "0@host/1"},
      {"key with another letter", "https://" + key.substr(1) + "g@host/1"},
      {"no host", "https://" + key + "@/1"},
      {"host with a blank", "https://" + key + "@a b/1"},
      {"host of brackets only", "https://" + key + "@[]/1"},
      {"bare IPv6", "https://" + key + "@::1/1"},
      {"empty port", "https://" + key + "@host:/1"},
      {"port 0", "https://" + key + "@host:0/1"},
      {"port above 65535", "https://" + key + "@host:65536/1"},
      {"port a word", "https://" + key + "@host:http/1"},
      {"no path", "https://" + key + "@host"},
      {"empty project", "https://" + key + "@host/"},
      {"project a word", "https://" + key + "@host/shop"},
      {"project negative", "https://" + key + "@host/-1"},
      {"project above 2^64", "https://" + key + "@host/18446744073709551616"},
      {"two slashes at the end", "https://" + key + "@host/1//"},
      {"query", "https://" + key + "@host/1?a=/1"},
  };
  for (auto const& r : rows) {
    INFO(r.name);
    CHECK_FALSE(parse_dsn(r.text).has_value());
  }
}

TEST_CASE("public keys") {
  struct row {
    std::string text;
    bool good;
  };
  std::vector<row> const rows{
      {key, true},
      {"A94AE32BE2584E0BBD7A4CBB95971FEE", true},
      {key + ":no-cache", true},
      {key + "-no-cache", true},
      {"", false},
      {key.substr(1), false},
      {key + "0", false},
      {key + ":", false},
      {key + "-", false},
      {key + " ", false},
      {key + ":no cache", false},
      {key + ".no-cache", false},
      {"a94ae32b-e258-4e0b-bd7a-4cbb95971fee", false},
  };
  for (auto const& r : rows) {
    INFO(r.text);
    std::string out;
    REQUIRE(parse_public_key(r.text, out) == r.good);
    if (r.good) CHECK(out == key);
  }
}
