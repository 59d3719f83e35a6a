#include "sdk/transport/http_transport.hpp"

#include <dirent.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "envelope/raw_chunk.hpp"
#include "tests/sdk/transport/event_log.hpp"
#include "tests/sdk/transport/scripted_server.hpp"

using namespace profile_relay;
using namespace profile_relay::sdk;
using namespace profile_relay::sdk::test;
using namespace std::chrono_literals;

namespace {

constexpr auto plenty = 60s;

profile_chunk chunk(char name, std::size_t size = 10) {
  return {.profiler_id = std::string(32, 'f'),
          .chunk_id = std::string(32, name),
          .release = "r",
          .environment = "e",
          .trace = std::string(size, 't')};
}

std::string inflated(std::string const& coded) {
  z_stream stream{};
  REQUIRE(::inflateInit2(&stream, 15 + 16) == Z_OK);
  std::string out(4 << 20, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(coded.data()));
  stream.avail_in = static_cast<uInt>(coded.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  REQUIRE(::inflate(&stream, Z_FINISH) == Z_STREAM_END);
  REQUIRE(stream.avail_in == 0);
  out.resize(stream.total_out);
  ::inflateEnd(&stream);
  return out;
}

std::string decoded(http_request const& request) {
  auto const coding = request.header("Content-Encoding");
  if (coding == "gzip") return inflated(request.body);
  if (coding == "zstd") {
    std::string out(4 << 20, '\0');
    auto const size = ::ZSTD_decompress(out.data(), out.size(), request.body.data(), request.body.size());
    // A stream does not name its size, so one call may not do for it in every version; here it does.
    REQUIRE(::ZSTD_isError(size) == 0);
    out.resize(size);
    return out;
  }
  REQUIRE(coding.empty());
  return request.body;
}

/// "chunk id's first letter: item types, and the report's rows".
std::string summary(http_request const& request) {
  envelope::padded_copy const bytes(decoded(request));
  auto const parsed = envelope::parse(bytes.view());
  REQUIRE(parsed.has_value());
  std::string out = parsed->header.event_id.value_or("-").substr(0, 1);
  for (auto const& item : parsed->items) {
    out += " " + item.header.type;
    if (item.header.type != "client_report") continue;
    auto const report = nlohmann::json::parse(item.payload.text());
    CHECK(report["timestamp"].get<std::int64_t>() > 0);
    for (auto const& row : report["discarded_events"]) {
      out += " " + row["reason"].get<std::string>() + "=" + std::to_string(row["quantity"].get<int>());
    }
  }
  return out;
}

std::string text(transport_counts const& c) {
  return std::to_string(c.sent) + " sent, " + std::to_string(c.discarded) + " discarded, " +
         std::to_string(c.dropped) + " dropped, " + std::to_string(c.retries) + " retries";
}

}  // namespace

TEST_CASE("the request that a chunk becomes, in every coding") {
  no_proxies const direct;
  for (auto const coding : {content_coding::none, content_coding::gzip, content_coding::zstd}) {
    INFO(coding_name(coding));
    scripted_server server;
    auto const t = make_http_transport({.dsn = server.dsn(), .coding = coding}, {});
    auto const sent = chunk('a', 1 << 20);
    t->send(sent);
    t->close(plenty);
    CHECK(text(t->counts()) == "1 sent, 0 discarded, 0 dropped, 0 retries");
    auto const request = server.wait_for(1)[0];
    CHECK(request.head.starts_with("POST /api/42/envelope/ HTTP/1.1\r\n"));
    CHECK(request.header("Host") == "127.0.0.1:" + std::to_string(server.port()));
    CHECK(request.header("Content-Type") == "application/x-sentry-envelope");
    CHECK(request.header("Content-Encoding") == coding_name(coding));
    auto const agent = request.header("User-Agent");
    CHECK(agent.starts_with("profile-relay.profiler/"));
    CHECK(request.header("X-Sentry-Auth") == "Sentry sentry_version=7, sentry_client=" + agent +
                                                 ", sentry_key=a94ae32be2584e0bbd7a4cbb95971fee");
    CHECK(request.header("Expect").empty());

    envelope::padded_copy const bytes(decoded(request));
    auto const parsed = envelope::parse(bytes.view());
    REQUIRE(parsed.has_value());
    auto const taken = envelope::take_chunks(*parsed);
    REQUIRE(taken.chunks.size() == 1);
    bool const same = taken.chunks[0].trace.text() == sent.trace;
    CHECK(same);
  }
}

TEST_CASE("what the answers do") {
  no_proxies const direct;
  auto const answer = [](int status, std::string const& headers = "", std::string const& body = "{}") {
    return scripted_server::answer(status, headers, body);
  };
  std::string const two_limits =
      "X-Sentry-Rate-Limits: 1000.5:profile_chunk:key, 7::key\r\nx-sentry-rate-limits: 5:error:key\r\n";
  struct row {
    char const* name;
    std::string answer;
    std::string events;
    std::string counts;
    std::string second;  // what follows, when a chunk is sent afterwards
  };
  std::vector<row> const rows{
      {"200", answer(200), "", "2 sent, 0 discarded", "b profile_chunk"},
      {"204", "HTTP/1.1 204 None\r\nConnection: close\r\n\r\n", "", "2 sent, 0 discarded", "b profile_chunk"},
      {"400", answer(400, "", R"({"detail":"bad"})"),
       R"(the server answered 400: {"detail":"bad"}: discarded a profile chunk)", "1 sent, 1 discarded",
       "b profile_chunk client_report send_error=1"},
      {"413", answer(413), "the server answered 413: {}: discarded a profile chunk; too large",
       "1 sent, 1 discarded", "b profile_chunk client_report send_error=1"},
      {"500 with an odd body", answer(500, "", "a\nb\xff"),
       "the server answered 500: a b : discarded a profile chunk", "1 sent, 1 discarded",
       "b profile_chunk client_report send_error=1"},
      {"302 to itself", answer(302, "Location: /api/42/envelope/\r\n", ""),
       "the server answered 302: discarded a profile chunk", "1 sent, 1 discarded",
       "b profile_chunk client_report send_error=1"},
      {"503", answer(503, "", ""), "the server answered 503: discarded a profile chunk",
       "1 sent, 1 discarded", "b profile_chunk client_report send_error=1"},
      {"429", answer(429, "", ""),
       "the server answered 429: discarded a profile chunk; limited 60000; the server limits profile chunks "
       "for 60 s",
       "0 sent, 2 discarded", ""},
      {"429 with Retry-After", answer(429, "retry-after:  17\r\n", ""),
       "the server answered 429: discarded a profile chunk; limited 17000; the server limits profile chunks "
       "for 17 s",
       "0 sent, 2 discarded", ""},
      {"200 with two headers of limits", answer(200, two_limits),
       "limited 1001000; the server limits profile chunks for 1001 s", "1 sent, 1 discarded", ""},
      {"an interim answer before", "HTTP/1.1 103 Early\r\nRetry-After: 5\r\n\r\n" + answer(429, "", ""),
       "the server answered 429: discarded a profile chunk; limited 60000; the server limits profile chunks "
       "for 60 s",
       "0 sent, 2 discarded", ""},
      {"a body that breaks off", "HTTP/1.1 400 Bad\r\nContent-Length: 100\r\n\r\nhalf",
       "the server answered 400: half: discarded a profile chunk", "1 sent, 1 discarded",
       "b profile_chunk client_report send_error=1"},
  };
  for (auto const& r : rows) {
    INFO(r.name);
    scripted_server server({r.answer});
    event_log told;
    auto const t = make_http_transport({.dsn = server.dsn()}, told.events());
    t->send(chunk('a'));
    server.wait_for(1);
    // The end of the first chunk: the answer has been read.
    while (t->counts().sent + t->counts().discarded == 0) std::this_thread::yield();
    t->send(chunk('b'));
    t->close(plenty);
    CHECK(told.all() == r.events);
    CHECK(text(t->counts()) == r.counts + ", 0 dropped, 0 retries");
    CHECK(server.requests() == (r.second.empty() ? 1 : 2));
    if (!r.second.empty()) CHECK(summary(server.wait_for(2)[1]) == r.second);
  }
}

TEST_CASE("a limit is known to who asks") {
  no_proxies const direct;
  scripted_server server({scripted_server::answer(429, "Retry-After: 3600\r\n")});
  event_log told;
  auto const t = make_http_transport({.dsn = server.dsn()}, told.events());
  CHECK(t->limited_for() == 0ms);
  t->send(chunk('a'));
  told.wait_for("limited");
  CHECK(t->limited_for() > 0ms);
  CHECK(t->limited_for() <= 3600s);
}

TEST_CASE("a server that comes back gets what was kept for it, in order") {
  no_proxies const direct;
  scripted_server server({}, true);
  event_log told;
  auto const t = make_http_transport({.dsn = server.dsn()}, told.events());
  t->send(chunk('a'));
  t->send(chunk('b'));
  CHECK_THAT(told.wait_for("failed"), Catch::Contains("127.0.0.1"));
  server.come_back();
  auto const requests = server.wait_for(2);
  t->close(plenty);
  CHECK(summary(requests[0]) == "a profile_chunk");
  CHECK(summary(requests[1]) == "b profile_chunk");
  CHECK(t->counts().sent == 2);
  CHECK(t->counts().retries >= 1);
}

TEST_CASE("a connection that is closed without an answer is a network error") {
  no_proxies const direct;
  scripted_server server({scripted_server::hang_up, scripted_server::hang_up, "no HTTP at all\r\n\r\n"});
  event_log told;
  auto const t = make_http_transport({.dsn = server.dsn()}, told.events());
  t->send(chunk('a'));
  server.wait_for(4);
  t->close(plenty);
  CHECK(text(t->counts()) == "1 sent, 0 discarded, 0 dropped, 3 retries");
}

TEST_CASE("a server that says nothing is given up and tried again") {
  no_proxies const direct;
  scripted_server server({scripted_server::hang});
  event_log told;
  auto const t = make_http_transport({.dsn = server.dsn(), .stall_timeout = 300ms}, told.events());
  t->send(chunk('a'));
  server.wait_for(2);
  t->close(plenty);
  CHECK(t->counts().retries >= 1);
  CHECK_THAT(told.all(), Catch::Contains("nothing was sent or received for 300 ms"));
}

TEST_CASE("an answer that takes too long in all is given up too") {
  no_proxies const direct;
  scripted_server server({scripted_server::hang});
  event_log told;
  auto const t = make_http_transport({.dsn = server.dsn(), .request_timeout = 300ms}, told.events());
  t->send(chunk('a'));
  server.wait_for(2);
  t->close(plenty);
  CHECK(t->counts().retries >= 1);
  CHECK_THAT(told.all(), Catch::Contains("Timeout was reached"));
}

TEST_CASE("sending never waits, whatever the server does") {
  no_proxies const direct;
  scripted_server server({scripted_server::hang});
  event_log told;
  // Room for five of them. Only close can end the first one before the test's own end.
  auto const t = make_http_transport(
      {.dsn = server.dsn(), .max_queue_bytes = 5 * 12'000, .stall_timeout = 1h, .request_timeout = 1h},
      told.events());
  t->send(chunk('a', 10'000));
  server.wait_for(1);
  for (int i = 0; i < 1000; ++i) t->send(chunk('b', 10'000));
  CHECK(text(t->counts()) == "0 sent, 0 discarded, 996 dropped, 0 retries");
  // Its answer never comes: close has to give it up.
  t->close(1ms);
  CHECK(text(t->counts()) == "0 sent, 0 discarded, 1001 dropped, 0 retries");
  CHECK_THAT(told.all(), Catch::EndsWith("dropped profile chunks that were not sent in time: 5"));
  auto const lines = told.all();
  CHECK(std::count(lines.begin(), lines.end(), ';') < 100);  // of a thousand warnings
  t->send(chunk('c'));
  CHECK(t->counts().dropped == 1002);
  t->close(plenty);
}

TEST_CASE("close sends what is pending, from several threads at once too") {
  no_proxies const direct;
  scripted_server server;
  auto const t = make_http_transport({.dsn = server.dsn()}, {});
  for (char const name : {'a', 'b', 'c'}) t->send(chunk(name));
  std::thread other([&] { t->close(plenty); });
  t->close(plenty);
  other.join();
  CHECK(text(t->counts()) == "3 sent, 0 discarded, 0 dropped, 0 retries");
}

TEST_CASE("the client's own exceptions do not end the thread") {
  no_proxies const direct;
  scripted_server server({scripted_server::answer(413)});
  transport_events events;
  events.too_large = [] { throw 1; };
  events.warn = [](std::string const&) { throw std::runtime_error("no log"); };
  auto const t = make_http_transport({.dsn = server.dsn()}, events);
  t->send(chunk('a'));
  t->send(chunk('b'));
  t->close(plenty);
  CHECK(text(t->counts()) == "1 sent, 1 discarded, 0 dropped, 0 retries");
}

TEST_CASE("what cannot be sent to is refused at once") {
  CHECK_THROWS_WITH(make_http_transport({.dsn = "localhost"}, {}),
                    "DSN: it does not begin with http:// or https://");
}

TEST_CASE("TLS: a file of authorities that is not there is named") {
  no_proxies const direct;
  scripted_server server;
  event_log told;
  auto const t = make_http_transport({.dsn = server.dsn("https"), .ca_file = "/nowhere.pem"}, told.events());
  t->send(chunk('a'));
  CHECK_THAT(told.wait_for("failed"), Catch::Contains("/nowhere.pem"));
}

TEST_CASE("proxies come from the environment") {
  no_proxies const direct;
  scripted_server proxy;
  ::setenv("http_proxy", ("http://127.0.0.1:" + std::to_string(proxy.port())).c_str(), 1);
  auto const t = make_http_transport({.dsn = "http://key@server.invalid/42"}, {});
  t->send(chunk('a'));
  t->close(plenty);
  ::unsetenv("http_proxy");
  CHECK(t->counts().sent == 1);
  CHECK(proxy.wait_for(1)[0].head.starts_with("POST http://server.invalid/api/42/envelope/ HTTP/1.1\r\n"));
}

namespace {

/// Threads of this process with this name.
std::vector<pid_t> threads_named(std::string const& name) {
  std::vector<pid_t> out;
  auto* const tasks = ::opendir("/proc/self/task");
  while (auto const* entry = ::readdir(tasks)) {
    std::ifstream in("/proc/self/task/" + std::string(entry->d_name) + "/comm");
    std::string comm;
    if (std::getline(in, comm) && comm == name) out.push_back(std::stoi(entry->d_name));
  }
  ::closedir(tasks);
  return out;
}

std::atomic<std::uint64_t> signals_seen = 0;
void count_signal(int) { ++signals_seen; }

}  // namespace

TEST_CASE("the thread takes SIGPROF, sends all the same, and takes no signal of the host's") {
  no_proxies const direct;
  struct sigaction before {
  }, counting{};
  // Without SA_RESTART: every call that can be interrupted is.
  counting.sa_handler = &count_signal;
  ::sigaction(SIGPROF, &counting, &before);
  scripted_server server({scripted_server::hang_up});
  event_log told;
  auto const t = make_http_transport({.dsn = server.dsn()}, told.events());
  t->send(chunk('a', 4 << 20));
  server.wait_for(1);
  auto const threads = threads_named("profile-upload");
  REQUIRE(threads.size() == 1);

  std::ifstream in("/proc/self/task/" + std::to_string(threads[0]) + "/status");
  std::uint64_t blocked = 0;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("SigBlk:")) blocked = std::stoull(line.substr(7), nullptr, 16);
  }
  auto const is_blocked = [&](int signal) { return (blocked >> (signal - 1) & 1) == 1; };
  CHECK_FALSE(is_blocked(SIGPROF));
  CHECK_FALSE(is_blocked(SIGSEGV));
  for (int const signal : {SIGPIPE, SIGTERM, SIGINT, SIGHUP, SIGALRM, SIGCHLD, SIGUSR1})
    CHECK(is_blocked(signal));

  // Signals until it has sent the chunk, at the least one.
  do {
    ::syscall(SYS_tgkill, ::getpid(), threads[0], SIGPROF);
  } while (t->counts().sent == 0 && t->counts().dropped == 0);
  CHECK(t->counts().sent == 1);
  t->close(plenty);
  CHECK(signals_seen > 0);
  ::sigaction(SIGPROF, &before, nullptr);
}

TEST_CASE("in a child there is no thread, and nothing waits for it") {
  no_proxies const direct;
  // The thread is in a request, or waits for something to do.
  for (auto const& answer : {scripted_server::hang, scripted_server::answer(200)}) {
    scripted_server server({answer});
    auto t = make_http_transport({.dsn = server.dsn()}, {});
    t->send(chunk('a'));
    server.wait_for(1);
    while (answer != scripted_server::hang && t->counts().sent == 0) std::this_thread::yield();
    auto const child = ::fork();
    if (child == 0) {
      ::alarm(10);  // ends it if something does wait
      t->send(chunk('b'));
      t->close(plenty);
      bool const nothing = t->counts().sent == 0 && t->limited_for() == 0ms;
      t.reset();
      ::_exit(nothing ? 0 : 1);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 0);
    t->close(0ms);
    CHECK(server.requests() == 1);
  }
}
