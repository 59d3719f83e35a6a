#include <catch2/catch.hpp>
#include <vector>

#include "config/allowed_domains.hpp"

using profile_relay::config::origin_allowed;

TEST_CASE("allowed domains") {
  struct row {
    std::vector<std::string> patterns;
    std::optional<std::string_view> origin;
    bool allowed;
  };
  std::optional<std::string_view> const none;
  row const rows[] = {
      // a request without an origin always passes
      {{}, none, true},
      {{"https://a.example"}, none, true},
      // an empty list refuses every origin
      {{}, "https://a.example", false},
      {{}, "null", false},
      // everything
      {{"*"}, "https://a.example", true},
      {{"*"}, "null", true},
      {{"x.example", "*"}, "https://a.example", true},
      {{"*://*:*"}, "http://a.example:81", true},
      // scheme://host[:port]
      {{"https://a.example"}, "https://a.example", true},
      {{"https://a.example"}, "https://a.example/path?q=1#f", true},
      {{"https://A.Example"}, "HTTPS://a.EXAMPLE", true},
      {{"https://a.example"}, "http://a.example", false},
      {{"https://a.example"}, "https://b.example", false},
      {{"https://a.example"}, "https://sub.a.example", false},
      {{"https://a.example"}, "https://a.example.evil.example", false},
      {{"https://a.example"}, "https://a.example:8443", true},
      {{"https://a.example:8443"}, "https://a.example:8443", true},
      {{"https://a.example:8443"}, "https://a.example:8444", false},
      {{"https://a.example:8443"}, "https://a.example", false},
      {{"https://a.example:443"}, "https://a.example", true},
      {{"http://a.example:80"}, "http://a.example", true},
      {{"https://a.example:443"}, "https://a.example:443", true},
      {{"https://*"}, "https://a.example", true},
      {{"https://*"}, "http://a.example", false},
      // a host alone
      {{"a.example"}, "https://a.example", true},
      {{"a.example"}, "http://a.example:8080", true},
      {{"a.example"}, "http://b.a.example", false},
      {{"a.example:8080"}, "http://a.example:8080", true},
      {{"a.example:8080"}, "http://a.example", false},
      // *.domain: the domain and its subdomains
      {{"*.a.example"}, "https://a.example", true},
      {{"*.a.example"}, "https://x.a.example", true},
      {{"*.a.example"}, "https://x.y.a.example:1", true},
      {{"*.a.example"}, "https://xa.example", false},
      {{"*.a.example"}, "https://a.example.evil.example", false},
      {{"*.a.example:86"}, "http://x.a.example:86", true},
      {{"*.a.example:86"}, "http://x.a.example:87", false},
      {{"https://*.a.example"}, "http://x.a.example", false},
      // *:port
      {{"*:8000"}, "http://anything.example:8000", true},
      {{"*:8000"}, "http://anything.example:8001", false},
      {{"*:443"}, "https://anything.example", true},
      {{"http://*:8000"}, "http://a.example:8000", true},
      {{"http://*:8000"}, "https://a.example:8000", false},
      // several patterns
      {{"b.example", "*.c.example"}, "https://x.c.example", true},
      {{"b.example", "*.c.example"}, "https://d.example", false},
      // what tries to look like another host
      {{"a.example"}, "https://a.example@evil.example", false},
      {{"a.example"}, "https://evil.example/a.example", false},
      {{"a.example"}, "https://evil.example?a.example", false},
      {{"[::1]:8000"}, "http://[::1]:8000", true},
      {{"[::1]"}, "http://[::2]", false},
      // not an origin
      {{"a.example"}, "null", false},
      {{"a.example"}, "", false},
      {{""}, "https://a.example", false},
  };
  for (auto const& r : rows) {
    INFO((r.patterns.empty() ? "[]" : r.patterns[0]) << " <- " << r.origin.value_or("(none)"));
    CHECK(origin_allowed(r.patterns, r.origin) == r.allowed);
  }
}
