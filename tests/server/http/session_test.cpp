// The HTTP side over real sockets, with delivery faked behind its port.
#include <zlib.h>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "fake_server.hpp"

using namespace profile_relay;
using namespace profile_relay::server;
using namespace profile_relay::server::test;

namespace {

std::string const route = "/api/1/envelope/";

reply one(fake_server& s, std::string const& request) {
  connection c(s.http->port());
  REQUIRE(c.send(request));
  return c.receive();
}

std::string gzip(std::string in) {
  z_stream z{};
  deflateInit2(&z, 9, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&z, static_cast<uLong>(in.size())), '\0');
  z.next_in = reinterpret_cast<Bytef*>(in.data());
  z.avail_in = static_cast<uInt>(in.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  deflate(&z, Z_FINISH);
  out.resize(z.total_out);
  deflateEnd(&z);
  return out;
}

std::string chunked(std::string_view body, std::size_t size) {
  std::string out;
  for (; !body.empty(); body.remove_prefix(std::min(size, body.size()))) {
    char head[32];
    std::snprintf(head, sizeof head, "%zx;x=y\r\n", std::min(size, body.size()));
    out += head;
    out += body.substr(0, size);
    out += "\r\n";
  }
  return out + "0\r\nX-Trailer: 1\r\n\r\n";
}

std::string const te = "Transfer-Encoding: chunked\r\n";

/// A head that announces so many bytes of body.
std::string head_of(std::size_t length, std::string const& key = good_key, std::string const& extra = "") {
  auto const whole = post(route, key, std::string(length, 'x'), extra);
  return whole.substr(0, whole.size() - length);
}

}  // namespace

TEST_CASE("statuses and the reason that is counted, row by row") {
  struct row {
    char const* name;
    std::string request;
    int status;
    char const* reason;
  };
  auto const good = envelope_of({good_chunk()});
  auto const with_dsn = [&](std::string const& dsn) {
    return envelope_of({good_chunk()}, R"({"dsn":")" + dsn + R"("})");
  };
  auto const dsn = "http://" + good_key + "@localhost/1";
  std::vector<row> const rows{
      {"accepted", post(route, good_key, good), 200, ""},
      {"accepted without trailing slash", post("/api/1/envelope", good_key, good), 200, ""},
      {"accepted by query", post(route + "?sentry_key=" + good_key + "&sentry_version=7", "", good), 200, ""},
      {"accepted by the DSN of the envelope", post(route, "", with_dsn(dsn)), 200, ""},
      {"accepted by both", post(route, good_key, with_dsn(dsn)), 200, ""},
      {"empty envelope", post(route, good_key, "{}"), 200, ""},
      {"rejected by content", post(route, good_key, envelope_of({"bad"})), 200, ""},
      {"empty body", post(route, good_key, ""), 400, "empty_body"},
      {"no envelope", post(route, good_key, "hello\n"), 400, "envelope_invalid_header"},
      {"cut off", post(route, good_key, good.substr(0, good.size() - 5)), 400, "envelope_unexpected_eof"},
      {"project is no number", post("/api/x/envelope/", good_key, good), 400, "bad_project_id"},
      {"key is not hex", post(route, std::string(32, 'z'), good), 400, "bad_public_key"},
      {"DSN of another project", post(route, good_key, with_dsn("http://" + good_key + "@localhost/2")), 400,
       "envelope_header_mismatch"},
      {"no auth at all", post(route, "", good), 401, "auth_missing"},
      {"unusable DSN", post(route, "", with_dsn("nonsense")), 401, "auth_bad_envelope_header"},
      {"two auths", post(route + "?sentry_key=" + good_key, good_key, good), 401, "auth_multiple"},
      {"one auth header twice",
       post(route, good_key, good, "X-Sentry-Auth: Sentry sentry_key=" + good_key + "\r\n"), 401,
       "auth_multiple"},
      {"two Authorization headers",
       post(route, "", good, "Authorization: Bearer x\r\nAuthorization: Bearer y\r\n"), 401, "auth_multiple"},
      {"no auth and no body", post(route, "", ""), 401, "auth_bad_envelope_header"},
      {"unknown key", post(route, std::string(32, '0'), good), 403, "unknown_key"},
      {"unknown key in the DSN", post(route, "", with_dsn("http://" + std::string(32, '0') + "@localhost/1")),
       403, "unknown_key"},
      {"disabled key", post(route, disabled_key, good), 403, "disabled_key"},
      {"other project's key", post(route, all_off_key, good), 403, "wrong_project"},
      {"origin", post("/api/4/envelope/", site_key, good, "Origin: https://evil.example\r\n"), 403,
       "origin_not_allowed"},
      {"referer", post("/api/4/envelope/", site_key, good, "Referer: https://evil.example/page\r\n"), 403,
       "origin_not_allowed"},
      {"allowed origin", post("/api/4/envelope/", site_key, good, "Origin: https://shop.example\r\n"), 200,
       ""},
      {"nowhere", post("/nowhere", good_key, good), 404, "route_not_found"},
      {"Relay's", post("/api/1/store/", good_key, good), 404, "route_not_served"},
      {"method", "PUT " + route + " HTTP/1.1\r\nHost: x\r\n\r\n", 405, "method_not_allowed"},
      {"posting to health", post("/api/relay/healthcheck/live/", good_key, ""), 405, "method_not_allowed"},
      {"envelope too large", post(route, good_key, std::string(300'000, 'x')), 413, "body_too_large"},
      {"envelope too large, chunked", post(route, good_key, chunked(std::string(300'000, 'x'), 4000), te),
       413, "body_too_large"},
      {"bomb", post(route, good_key, gzip(std::string(50u << 20, '\0')), "Content-Encoding: gzip\r\n"), 413,
       "body_too_large"},
      {"unknown coding", post(route, good_key, good, "Content-Encoding: lzma\r\n"), 415,
       "unsupported_encoding"},
      {"several codings", post(route, good_key, good, "Content-Encoding: gzip\r\nContent-Encoding: gzip\r\n"),
       415, "unsupported_encoding"},
      {"gzip", post(route, good_key, gzip(good), "Content-Encoding: gzip\r\n"), 200, ""},
      {"gzip cut off", post(route, good_key, gzip(good).substr(0, 80), "Content-Encoding: gzip\r\n"), 400,
       "bad_encoding"},
      {"gzip with a tail", post(route, good_key, gzip(good) + "x", "Content-Encoding: gzip\r\n"), 400,
       "bad_encoding"},
      {"chunked", post(route, good_key, chunked(good, 10), te), 200, ""},
      {"chunked and gzip", post(route, good_key, chunked(gzip(good), 7), te + "Content-Encoding: gzip\r\n"),
       200, ""},
      {"damaged chunks", post(route, good_key, "zz\r\n", te), 400, "bad_request"},
      {"no HTTP", "hello\r\n\r\n", 400, "bad_request"},
  };
  fake_server server([](http_server_options& o, pipeline_settings&) { o.max_envelope_size = 200'000; });
  for (auto const& r : rows) {
    INFO(r.name);
    auto const series = "profile_relay_requests_rejected_total{reason=\"" + std::string(r.reason) + "\"}";
    auto const before = server.metric(series);
    auto const got = one(server, r.request);
    REQUIRE_FALSE(got.closed);
    CHECK(got.status == r.status);
    if (*r.reason != '\0') CHECK(server.metric(series) == before + 1);
    CHECK(got.headers.at("server") == "profile-relay");
    CHECK(got.headers.at("cross-origin-resource-policy") == "cross-origin");
    CHECK(got.headers.at("access-control-allow-origin") == "*");
    auto const body = nlohmann::json::parse(got.body);
    CHECK(body.contains("detail") == (r.status != 200));
    CHECK(got.headers.contains("allow") == (r.status == 405));
  }
  CHECK(server.metric("profile_relay_untracked_chunks_total") == 0);
}

TEST_CASE("a connection serves one request after the other, also when they come together") {
  fake_server server;
  connection c(server.http->port());
  auto const good = post(route, good_key,
                         envelope_of({good_chunk()}, R"({"event_id":"0123456789abcdef0123456789abcdef"})"));
  auto const refused = post(route, std::string(32, '0'), envelope_of({good_chunk()}));
  auto const in_chunks = post(route, good_key, chunked(envelope_of({good_chunk()}), 100), te);
  REQUIRE(c.send(good + refused + in_chunks + "\r\n" + good));
  auto const first = c.receive();
  CHECK(first.status == 200);
  CHECK(nlohmann::json::parse(first.body)["id"] == "0123456789abcdef0123456789abcdef");
  CHECK(c.receive().status == 403);
  CHECK(c.receive().body == "{}");
  CHECK(c.receive().status == 200);
  CHECK(server.delivery.count(profile::logical_topic::profiles) == 3);
}

TEST_CASE("the reply waits for the end of the chunk, and says what it was") {
  struct row {
    record_end profiles, outcomes;
    std::string payload;
    int status;
    char const* end;
  };
  auto const r = GENERATE(values<row>({
      {record_end::delivered, record_end::delivered, good_chunk(), 200, "delivered"},
      {record_end::spooled, record_end::delivered, good_chunk(), 200, "spooled"},
      {record_end::unavailable, record_end::delivered, good_chunk(), 503, "rejected"},
      {record_end::too_large, record_end::delivered, good_chunk(), 200, "rejected"},
      {record_end::too_large, record_end::unavailable, good_chunk(), 503, "rejected"},
      {record_end::delivered, record_end::spooled, "bad", 200, "rejected"},
      {record_end::delivered, record_end::unavailable, "bad", 503, "rejected"},
  }));
  fake_server server;
  server.delivery.end_with(r.profiles, r.outcomes);
  server.delivery.hold();
  connection c(server.http->port());
  REQUIRE(c.send(post(route, good_key, envelope_of({r.payload}))));
  server.delivery.wait_for(1);
  // Others are served meanwhile, and this one has no reply yet.
  CHECK(one(server, "GET /api/relay/healthcheck/live/ HTTP/1.1\r\nHost: x\r\n\r\n").status == 200);
  CHECK(server.metric("profile_relay_chunks_total{end=\"delivered\"}") == 0);
  server.delivery.release();
  auto const got = c.receive();
  CHECK(got.status == r.status);
  CHECK(got.headers.contains("retry-after") == (r.status == 503));
  CHECK(server.metric("profile_relay_chunks_total{end=\"" + std::string(r.end) + "\"}") == 1);
  CHECK(server.budget.used() == 0);
}

TEST_CASE("a client that hangs up after its body does not take its chunk with it") {
  fake_server server;
  server.delivery.hold();
  {
    connection c(server.http->port());
    REQUIRE(c.send(post(route, good_key, envelope_of({good_chunk()}))));
    server.delivery.wait_for(1);
  }
  server.delivery.release();
  server.http->stop_accepting();
  CHECK(server.http->wait_until_idle(std::chrono::steady_clock::now() + std::chrono::seconds(20)));
  CHECK(server.metric("profile_relay_chunks_total{end=\"delivered\"}") == 1);
}

TEST_CASE("Expect: 100-continue is answered once the head is accepted, and not before") {
  fake_server server;
  auto const body = envelope_of({good_chunk()});
  auto const request = post(route, good_key, body, "Expect: 100-continue\r\n");
  connection c(server.http->port());
  REQUIRE(c.send(std::string_view(request).substr(0, request.size() - body.size())));
  CHECK(c.receive().status == 100);
  REQUIRE(c.send(body));
  CHECK(c.receive().status == 200);

  connection stranger(server.http->port());
  auto const bad = post(route, std::string(32, '0'), body, "Expect: 100-continue\r\n");
  REQUIRE(stranger.send(std::string_view(bad).substr(0, bad.size() - body.size())));
  CHECK(stranger.receive().status == 403);
}

TEST_CASE("an early error can be read by a client that writes all before it reads") {
  fake_server server([](http_server_options& o, pipeline_settings&) { o.max_envelope_size = 1u << 20; });
  connection c(server.http->port());
  REQUIRE(c.send(post(route, good_key, std::string(20u << 20, 'x'))));
  auto const got = c.receive();
  CHECK(got.status == 413);
  CHECK(got.headers.at("connection") == "close");
  CHECK(c.at_end());
}

TEST_CASE("what comes behind the last request of a connection does not reset it") {
  fake_server server;
  connection c(server.http->port());
  REQUIRE(c.send("GET /api/relay/healthcheck/live/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
  auto const got = c.receive();
  CHECK(got.status == 200);
  CHECK(got.headers.at("connection") == "close");
  // Closed at once, the first of these would be answered by a reset, and the next could not be sent.
  for (int i = 0; i < 20; ++i) CHECK(c.send(post(route, good_key, envelope_of({good_chunk()}))));
  CHECK(c.at_end());
  CHECK(server.delivery.count(profile::logical_topic::profiles) == 0);
}

TEST_CASE("a client that never stops sending after an early error is cut off") {
  struct row {
    std::string key, reason;
  };
  auto const r = GENERATE(values<row>({{good_key, "body_too_large"}, {std::string(32, '0'), "unknown_key"}}));
  fake_server server([](http_server_options& o, pipeline_settings&) {
    o.max_envelope_size = 1u << 20;
    o.body_timeout = std::chrono::milliseconds(500);
  });
  connection c(server.http->port());
  REQUIRE(c.send(post(route, r.key, "", te)));
  std::string const block(1u << 16, 'x');
  while (c.send("10000\r\n" + block + "\r\n")) {
  }
  CHECK(server.metric("profile_relay_requests_rejected_total{reason=\"" + r.reason + "\"}") == 1);
}

TEST_CASE("who is refused may send on for a while: a project's client for longer than a stranger") {
  fake_server server([](http_server_options& o, pipeline_settings&) {
    o.max_envelope_size = 1u << 20;
    o.linger_timeout = std::chrono::milliseconds(50);
    o.body_timeout = std::chrono::seconds(60);
  });
  auto const refused = [&](std::string const& key, int status) {
    auto c = std::make_unique<connection>(server.http->port());
    REQUIRE(c->send(head_of(2'000'000, key)));
    CHECK(c->receive().status == status);
    return c;
  };
  auto const stranger = refused(std::string(32, '0'), 403);
  auto const known = refused(good_key, 413);
  std::string const piece(1'000, 'x');
  while (stranger->send(piece)) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  // The same time again, and more: the other is still heard.
  for (int i = 0; i < 100; ++i) {
    REQUIRE(known->send(piece));
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  CHECK(server.budget.max_used() == 0);
  CHECK(server.http->connections() == 1);
}

TEST_CASE("clients that are too slow get 408, or nothing if they said nothing") {
  // Only the one that is looked at is short: the test itself may be held up between two of its lines.
  auto const with_short = [](std::chrono::milliseconds http_server_options::*timeout) {
    return [timeout](http_server_options& o, pipeline_settings&) {
      o.header_timeout = o.body_timeout = o.keepalive_timeout = std::chrono::minutes(5);
      o.*timeout = std::chrono::milliseconds(150);
    };
  };
  SECTION("in the head") {
    fake_server server(with_short(&http_server_options::header_timeout));
    connection c(server.http->port());
    REQUIRE(c.send("POST /api/1/envelope/ HTTP/1.1\r\nHo"));
    CHECK(c.receive().status == 408);
    CHECK(c.at_end());
  }
  SECTION("in the body") {
    fake_server server(with_short(&http_server_options::body_timeout));
    connection c(server.http->port());
    REQUIRE(c.send("POST /api/1/envelope/?sentry_key=" + good_key +
                   " HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{}"));
    CHECK(c.receive().status == 408);
    CHECK(c.at_end());
  }
  SECTION("idle") {
    fake_server server(with_short(&http_server_options::keepalive_timeout));
    connection c(server.http->port());
    CHECK(c.at_end());
  }
}

TEST_CASE("a body that never pauses, but comes too slowly, gets 408") {
  fake_server server([](http_server_options& o, pipeline_settings&) {
    o.body_timeout = std::chrono::seconds(60);  // longer than the test has patience
    o.min_body_rate = 100'000;
    o.body_rate_window = std::chrono::milliseconds(400);
  });
  struct row {
    char const* name;
    std::string opening, piece;
  };
  auto const packed = gzip(envelope_of({good_chunk()}));
  std::string const coded = "Content-Encoding: gzip\r\n";
  auto const r = GENERATE_COPY(values<row>({
      {"sized", head_of(1'000, good_key), "x"},
      {"in chunks", post(route, good_key, "", te), "1\r\nx\r\n"},
      {"in chunks of mostly framing", post(route, good_key, "", te),
       "1;" + std::string(1'000, 'x') + "\r\nx\r\n"},
      {"coded", head_of(100, good_key, coded) + packed.substr(0, 10), std::string("\0\0\0\xff\xff", 5)},
      {"coded, in chunks", post(route, good_key, "", te + coded) + "a\r\n" + packed.substr(0, 10) + "\r\n",
       std::string("5\r\n\0\0\0\xff\xff\r\n", 10)},
  }));
  INFO(r.name);
  connection c(server.http->port());
  REQUIRE(c.send(r.opening));
  // Five times a window in all.
  for (int i = 0; i < 16 && server.metric("profile_relay_requests_total{status=\"408\"}") == 0; ++i) {
    if (!c.send(r.piece)) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(125));
  }
  CHECK(c.receive().status == 408);
  CHECK(server.metric("profile_relay_requests_rejected_total{reason=\"timeout_body\"}") == 1);
  CHECK(server.budget.used() == 0);
}

TEST_CASE("waiting for the byte budget does not make a body slow") {
  fake_server server(
      [](http_server_options& o, pipeline_settings&) {
        o.min_body_rate = 100'000;
        o.body_rate_window = std::chrono::milliseconds(400);
        o.budget_timeout = std::chrono::seconds(20);
      },
      1u << 20);
  auto const body = envelope_of({good_chunk()}) +
                    R"({"type":"attachment"})"
                    "\n" +
                    std::string(100'000, 'x');
  auto const request =
      GENERATE_COPY(post(route, good_key, body), post(route, good_key, chunked(body, 5'000), te));
  auto taken = server.budget.try_acquire((1u << 20) - 70'000);
  REQUIRE(taken);
  connection c(server.http->port());
  REQUIRE(c.send(request));
  while (server.budget.waiting() == 0) std::this_thread::yield();
  std::this_thread::sleep_for(std::chrono::milliseconds(800));
  taken->release();
  CHECK(c.receive().status == 200);
}

TEST_CASE("a coded body that never decodes to anything has an end") {
  fake_server server([](http_server_options& o, pipeline_settings&) { o.max_envelope_size = 100'000; });
  connection c(server.http->port());
  REQUIRE(c.send(post(route, good_key, "", te + "Content-Encoding: gzip\r\n")));
  auto wire = gzip(envelope_of({good_chunk()})).substr(0, 10);
  for (int i = 0; i < 25'000; ++i) wire.append("\0\0\0\xff\xff", 5);
  REQUIRE(c.send(chunked(wire, 10'000)));
  CHECK(c.receive().status == 413);
}

TEST_CASE("without room in the byte budget reading pauses, then the request is refused") {
  std::chrono::milliseconds patience = std::chrono::minutes(1);
  SECTION("refused in the end") { patience = std::chrono::milliseconds(200); }
  SECTION("served when it comes free in time") {}
  bool const refused = patience < std::chrono::minutes(1);
  fake_server server([&](http_server_options& o, pipeline_settings&) { o.budget_timeout = patience; },
                     1u << 20);
  auto const body = envelope_of({good_chunk()}) +
                    R"({"type":"attachment"})"
                    "\n" +
                    std::string(100'000, 'x');
  auto taken = server.budget.try_acquire((1u << 20) - 1000);
  REQUIRE(taken);
  if (refused) {
    auto const got = one(server, post(route, good_key, body));
    CHECK(got.status == 503);
    CHECK(std::stoi(got.headers.at("retry-after")) > 0);
    CHECK(server.metric("profile_relay_requests_rejected_total{reason=\"byte_budget\"}") == 1);
  } else {
    connection c(server.http->port());
    REQUIRE(c.send(post(route, good_key, body)));
    while (server.budget.waiting() == 0) std::this_thread::yield();
    taken->release();
    CHECK(c.receive().status == 200);
  }
  taken->release();
  CHECK(server.budget.used() == 0);
}

TEST_CASE("health, metrics and the memory mark") {
  fake_server server;
  auto const get = [&](std::string const& path) {
    return one(server, "GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n");
  };
  CHECK(get("/api/relay/healthcheck/live/").body == R"({"is_healthy":true})");
  CHECK(get("/api/relay/healthcheck/ready/").status == 200);
  CHECK(get("/metrics").body.find("profile_relay_chunks_total{end=\"delivered\"} 0") != std::string::npos);
  server.ready = false;
  server.over_mark = true;
  CHECK(get("/api/relay/healthcheck/live/").status == 200);
  CHECK(get("/api/relay/healthcheck/ready/").status == 503);
  auto const refused = one(server, post(route, good_key, envelope_of({good_chunk()})));
  CHECK(refused.status == 503);
  CHECK(server.metric("profile_relay_requests_rejected_total{reason=\"memory_watermark\"}") == 1);
}

TEST_CASE("large bodies go through the workers, with the same answers") {
  fake_server server([](http_server_options& o, pipeline_settings&) { o.inline_body = 0; });
  CHECK(one(server, post(route, good_key, envelope_of({good_chunk(), "bad", good_chunk()}))).status == 200);
  CHECK(one(server, post(route, good_key, "hello\n")).status == 400);
  CHECK(server.delivery.count(profile::logical_topic::profiles) == 2);
  CHECK(server.delivery.count(profile::logical_topic::outcomes) == 1);
  CHECK(server.budget.used() == 0);
}

TEST_CASE("draining: the request in flight is answered, the connection closed, no new one accepted") {
  fake_server server;
  server.delivery.hold();
  connection busy(server.http->port()), idle(server.http->port());
  REQUIRE(idle.send("GET /api/relay/healthcheck/live/ HTTP/1.1\r\nHost: x\r\n\r\n"));
  CHECK(idle.receive().status == 200);
  REQUIRE(busy.send(post(route, good_key, envelope_of({good_chunk()}))));
  server.delivery.wait_for(1);
  auto const port = server.http->port();
  server.http->stop_accepting();
  CHECK(idle.at_end());
  server.delivery.release();
  auto const got = busy.receive();
  CHECK(got.status == 200);
  CHECK(got.headers.at("connection") == "close");
  CHECK(server.http->wait_until_idle(std::chrono::steady_clock::now() + std::chrono::seconds(20)));
  CHECK_THROWS(connection(port));
}

TEST_CASE("a port in use is an error that names it") {
  fake_server server;
  http_server_options options;
  options.port = server.http->port();
  auto const second = http_server::start(options, *server.services);
  REQUIRE(second.has_error());
  CHECK(second.error().what.find(std::to_string(options.port)) != std::string::npos);
}
