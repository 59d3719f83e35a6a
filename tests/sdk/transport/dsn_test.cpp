#include "sdk/transport/dsn.hpp"

#include <catch2/catch.hpp>
#include <vector>

#include "envelope/auth.hpp"
#include "envelope/dsn.hpp"

using namespace profile_relay;
using sdk::parse_dsn;

namespace {
std::string const key = "a94ae32be2584e0bbd7a4cbb95971fee";
}

TEST_CASE("where a DSN sends envelopes") {
  struct row {
    char const* name;
    std::string text;
    std::string url;
  };
  std::vector<row> const rows{
      {"https", "https://" + key + "@sentry.io/42", "https://sentry.io/api/42/envelope/"},
      {"http with a port", "http://" + key + "@127.0.0.1:3000/1", "http://127.0.0.1:3000/api/1/envelope/"},
      {"upper case scheme", "HTTPS://" + key + "@Host/1", "https://Host/api/1/envelope/"},
      {"a secret is not sent", "https://" + key + ":5ec4e7@host/1", "https://host/api/1/envelope/"},
      {"prefix", "https://" + key + "@host/a/b/7", "https://host/a/b/api/7/envelope/"},
      {"slash at the end", "https://" + key + "@host/7/", "https://host/api/7/envelope/"},
      {"IPv6", "http://" + key + "@[::1]:3000/1", "http://[::1]:3000/api/1/envelope/"},
      {"IPv6 without a port", "http://" + key + "@[fe80::1%25eth0]/1",
       "http://[fe80::1%25eth0]/api/1/envelope/"},
  };
  for (auto const& r : rows) {
    INFO(r.name);
    auto const parsed = parse_dsn(r.text);
    REQUIRE(parsed.value);
    CHECK(parsed.error.empty());
    CHECK(parsed.value->envelope_url() == r.url);
    CHECK(parsed.value->public_key == key);
    bool const readable = envelope::parse_dsn(r.text).has_value();
    CHECK(readable);
  }
}

TEST_CASE("DSNs that are refused, and why") {
  struct row {
    std::string text;
    char const* why;
  };
  std::vector<row> const rows{
      {"", "it is empty"},
      {key + "@host/1", "it does not begin with http:// or https://"},
      {"ftp://" + key + "@host/1", "the scheme is neither http nor https"},
      {"https://host/1", "there is no public key before an @"},
      {"https://host/" + key + "@1", "there is no public key before an @"},
      {"https://@host/1", "the public key is empty"},
      {"https://:secret@host/1", "the public key is empty"},
      {"https://a\nb@host/1", "the public key holds something else than letters, digits, - and _"},
      {"https://a, b@host/1", "the public key holds something else than letters, digits, - and _"},
      {"https://" + key + "@/1", "there is no host after the @"},
      {"https://" + key + "@:80/1", "there is no host after the @"},
      {"https://" + key + "@a b/1",
       "the host holds a character that no host has (an IPv6 address needs brackets)"},
      {"https://" + key + "@::1:80/1",
       "the host holds a character that no host has (an IPv6 address needs brackets)"},
      {"https://" + key + "@[]/1", "the host is not an address in brackets"},
      {"https://" + key + "@[::1/1", "the host is not an address in brackets"},
      {"https://" + key + "@[/1", "the host is not an address in brackets"},
      {"https://" + key + "@host:/1", "the port is not a number from 1 to 65535"},
      {"https://" + key + "@host:0/1", "the port is not a number from 1 to 65535"},
      {"https://" + key + "@host:65536/1", "the port is not a number from 1 to 65535"},
      {"https://" + key + "@host:http/1", "the port is not a number from 1 to 65535"},
      {"https://" + key + "@host", "there is no project number at its end"},
      {"https://" + key + "@host/", "there is no project number at its end"},
      {"https://" + key + "@host/shop", "the project at its end is not a number"},
      {"https://" + key + "@host/-1", "the project at its end is not a number"},
      {"https://" + key + "@host/1//", "the project at its end is not a number"},
      {"https://" + key + "@host/123456789012345678901", "the project at its end is not a number"},
      {"https://" + key + "@host/1?a=b", "the path holds a blank, a control character or one of ? # @ \\"},
      {"https://" + key + "@host/1#2", "the path holds a blank, a control character or one of ? # @ \\"},
      {"https://" + key + "@host/a\r\nb/1", "the path holds a blank, a control character or one of ? # @ \\"},
  };
  for (auto const& r : rows) {
    INFO(r.text);
    auto const parsed = parse_dsn(r.text);
    CHECK_FALSE(parsed.value);
    CHECK(parsed.error == std::string("DSN: ") + r.why);
    // It goes to logs.
    CHECK(parsed.error.find(key) == std::string::npos);
  }
}

TEST_CASE("the server reads the credentials") {
  auto const parsed = parse_dsn("https://" + key + ":5ec4e7@host/1");
  REQUIRE(parsed.value);
  auto const header = parsed.value->auth_header("name/1.2.3");
  auto const read = envelope::parse_auth({.x_sentry_auth = header, .authorization = {}, .query = {}});
  REQUIRE(read.has_value());
  REQUIRE(read->has_value());
  CHECK((*read)->public_key == key);
  CHECK((*read)->client == "name/1.2.3");
  CHECK(header.find("5ec4e7") == std::string::npos);
}
