#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <cstdio>
#include <filesystem>
#include <memory>

#include "sdk/client/check_options.hpp"
#include "sdk/client/client_parts.hpp"
#include "sdk/transport/http_transport.hpp"
#include "tests/sdk/transport/event_log.hpp"

using namespace profile_relay::sdk;
using namespace profile_relay::sdk::test;
using namespace std::chrono_literals;

namespace {

/// tls_server.py as a process, and its folder.
class tls_server {
 public:
  tls_server() {
    std::string pattern = (std::filesystem::temp_directory_path() / "profiler-tls.XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    folder_ = pattern;
    std::array<int, 2> in{}, out{};
    REQUIRE(::pipe2(in.data(), O_CLOEXEC) == 0);
    REQUIRE(::pipe2(out.data(), O_CLOEXEC) == 0);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::dup2(in[0], 0);
      ::dup2(out[1], 1);
      ::execlp("python3", "python3", TLS_SERVER, folder_.c_str(), nullptr);
      ::_exit(127);
    }
    ::close(in[0]);
    ::close(out[1]);
    stdin_ = in[1];
    std::unique_ptr<FILE, int (*)(FILE*)> const words(::fdopen(out[0], "r"), &::fclose);
    REQUIRE(std::fscanf(words.get(), "%d", &port_) == 1);
  }
  ~tls_server() {
    ::close(stdin_);
    ::waitpid(pid_, nullptr, 0);
    std::filesystem::remove_all(folder_);
  }
  tls_server(tls_server const&) = delete;
  tls_server& operator=(tls_server const&) = delete;

  std::string dsn(std::string const& host) const {
    return "https://key@" + host + ":" + std::to_string(port_) + "/42";
  }
  std::string certificate() const { return (folder_ / "cert.pem").string(); }

 private:
  std::filesystem::path folder_;
  pid_t pid_ = -1;
  int stdin_ = -1;
  int port_ = 0;
};

profile_chunk chunk() {
  return {.profiler_id = std::string(32, 'f'),
          .chunk_id = std::string(32, 'a'),
          .release = {},
          .environment = {},
          .trace = std::string(100'000, 't')};
}

}  // namespace

TEST_CASE("TLS: a server that is trusted gets the chunk, others get nothing and the log says why") {
  no_proxies const direct;
  tls_server const server;
  SECTION("its certificate is trusted") {
    auto const t = make_http_transport({.dsn = server.dsn("127.0.0.1"), .ca_file = server.certificate()}, {});
    t->send(chunk());
    t->close(60s);
    CHECK(t->counts().sent == 1);
  }
  SECTION("its certificate is named in the options of the client") {
    profile_relay::profiler_options const options{.dsn = server.dsn("127.0.0.1"),
                                                  .ca_certs = server.certificate()};
    check_options(options);
    auto const t = make_real_parts(options).make_transport({});
    t->send(chunk());
    t->close(60s);
    CHECK(t->counts().sent == 1);
  }
  SECTION("its certificate is its own") {
    event_log told;
    auto const t = make_http_transport({.dsn = server.dsn("127.0.0.1")}, told.events());
    t->send(chunk());
    CHECK_THAT(told.wait_for("failed"), Catch::Contains("SSL certificate problem: self-signed certificate"));
    t->close(0s);
    CHECK(t->counts().sent == 0);
  }
  SECTION("its certificate is for another name") {
    event_log told;
    auto const t =
        make_http_transport({.dsn = server.dsn("localhost"), .ca_file = server.certificate()}, told.events());
    t->send(chunk());
    CHECK_THAT(told.wait_for("failed"), Catch::Contains("localhost"));
    t->close(0s);
    CHECK(t->counts().sent == 0);
  }
}
