#include "server/io/http_parser.hpp"

#include <catch2/catch.hpp>
#include <string>

using namespace profile_relay::server;
using state = http_parser::state;

namespace {

std::span<const std::byte> bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

state parse(std::string const& text) { return http_parser().parse_head(bytes(text)).now; }

}  // namespace

TEST_CASE("heads that are refused, and neighbours that are not") {
  struct row {
    char const* name;
    std::string text;
    state now;
  };
  auto const r = GENERATE(values<row>({
      {"plain", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", state::head},
      {"incomplete", "GET / HTTP/1.1\r\nHost: a\r\n", state::need_more},
      {"one byte", "G", state::need_more},
      {"empty line before", "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", state::head},
      {"HTTP/1.0 without Host", "GET / HTTP/1.0\r\n\r\n", state::head},
      {"HTTP/1.1 without Host", "GET / HTTP/1.1\r\n\r\n", state::malformed},
      {"two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", state::malformed},
      {"two Hosts in HTTP/1.0", "GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n", state::malformed},
      {"Host with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", state::malformed},
      {"IPv6 Host", "GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", state::head},
      {"absolute form", "GET http://a/b HTTP/1.1\r\nHost: a\r\n\r\n", state::head},
      {"absolute form of another scheme", "GET ftp://a/b HTTP/1.1\r\nHost: a\r\n\r\n", state::malformed},
      {"absolute form without a host", "GET http:///b HTTP/1.1\r\nHost: a\r\n\r\n", state::malformed},
      {"asterisk form", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", state::head},
      {"asterisk form of another method", "GET * HTTP/1.1\r\nHost: a\r\n\r\n", state::malformed},
      {"path without its slash", "GET a HTTP/1.1\r\nHost: a\r\n\r\n", state::malformed},
      {"other version", "GET / HTTP/9.9\r\nHost: a\r\n\r\n", state::malformed},
      {"no version", "GET /\r\nHost: a\r\n\r\n", state::malformed},
      {"bare line feed", "GET / HTTP/1.1\nHost: a\n\n", state::malformed},
      {"bare line feed in the middle", "GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n", state::malformed},
      {"folded line", "GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n c\r\n\r\n", state::malformed},
      {"folded by a tab", "GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n\tc\r\n\r\n", state::malformed},
      {"space before the colon", "GET / HTTP/1.1\r\nHost : a\r\n\r\n", state::malformed},
      {"both lengths",
       "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
       state::malformed},
      {"both lengths the other way",
       "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n",
       state::malformed},
      {"two lengths", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n",
       state::malformed},
      {"two equal lengths", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\n",
       state::malformed},
      {"list of equal lengths", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3, 3\r\n\r\n",
       state::malformed},
      {"negative length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", state::malformed},
      {"length with a sign", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\n", state::malformed},
      {"length over 64 bits", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n",
       state::malformed},
      {"other transfer coding", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
       state::malformed},
      {"not chunked at the end", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n",
       state::malformed},
      {"chunked in HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", state::malformed},
      {"chunked", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", state::head},
      {"head just too long", "GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(http_parser::max_head, 'x'),
       state::malformed},
  }));
  INFO(r.name);
  CHECK(parse(r.text) == r.now);
}

TEST_CASE("a head that comes byte by byte is the same head") {
  std::string const text =
      "\r\nPOST /a?b HTTP/1.1\r\nHost: a\r\nX-Sentry-Auth: Sentry k\r\nContent-Length: 7\r\n"
      "Content-Encoding: gzip\r\nExpect: 100-continue\r\nOrigin: http://o\r\n\r\nbody...";
  http_parser p;
  std::string in;
  auto step = http_parser::step{};
  for (std::size_t i = 0; i < text.size() && step.now == state::need_more; ++i) {
    in += text[i];
    step = p.parse_head(bytes(in));
    in.erase(0, step.consumed);
  }
  REQUIRE(step.now == state::head);
  CHECK(in.empty());
  auto const& h = p.head();
  CHECK(h.method == "POST");
  CHECK(h.target == "/a?b");
  CHECK(h.content_length == 7);
  CHECK(h.x_sentry_auth == "Sentry k");
  CHECK(h.content_encoding == "gzip");
  CHECK(h.origin == "http://o");
  CHECK_FALSE(h.referer);
  CHECK(h.expect_continue);
  CHECK(h.keep_alive);
}

TEST_CASE("a refused head leaves nothing of the one before") {
  http_parser p;
  REQUIRE(p.parse_head(bytes("HEAD / HTTP/1.0\r\n\r\n")).now == state::head);
  p.reset();
  REQUIRE(p.parse_head(bytes("GET / HTTP/1.1\nHost: a\r\n\r\n")).now == state::malformed);
  CHECK(p.head().method.empty());
  CHECK_FALSE(p.head().http10);
}
