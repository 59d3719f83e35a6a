// The documented functions over the one client of this process, with the real sampler and the real transport.
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <mutex>
#include <thread>
#include <vector>

#include "profile_relay/profiler.hpp"

using namespace profile_relay;
using namespace std::chrono_literals;

namespace {

struct heard {
  std::mutex lock;
  std::vector<std::string> lines;
  log_function log() {
    return [this](std::string const& line) {
      std::lock_guard const guard(lock);
      lines.push_back(line);
    };
  }
};

profiler_options options(heard& h) {
  return {.dsn = "http://key@127.0.0.1:9/1", .profile_session_sample_rate = 1.0, .log = h.log()};
}

}  // namespace

TEST_CASE("R1: the life of a process: before init, refused, running, closed, and again") {
  static heard h;  // the client keeps the log for good
  CHECK(start_profiler() == start_result::not_initialised);
  CHECK(stop_profiler() == stop_result::not_initialised);
  CHECK_FALSE(begin_root_span({}).sampled());
  begin_user_session();
  finish_app_start();
  close(0ms);
  CHECK_FALSE(is_running());
  CHECK(profiler_id().empty());

  auto wrong = options(h);
  wrong.dsn = "http://127.0.0.1:9/1";
  CHECK_FALSE(init(wrong));
  REQUIRE(h.lines.size() == 1);
  CHECK_THAT(h.lines[0], Catch::StartsWith("init() refuses: dsn: "));
  CHECK(start_profiler() == start_result::not_initialised);

  REQUIRE(init(options(h)));
  CHECK(start_profiler() == start_result::started);
  CHECK(is_running());
  auto const first = profiler_id();
  CHECK(first.size() == 32);
  CHECK(start_profiler() == start_result::already_running);
  CHECK_FALSE(init(wrong));
  CHECK(profiler_id() == first);  // a refused init leaves what runs

  CHECK(stop_profiler() == stop_result::stopped);
  CHECK(start_profiler() == start_result::started);
  CHECK(profiler_id() != first);

  REQUIRE(init(options(h)));
  CHECK_FALSE(is_running());
  CHECK(start_profiler() == start_result::started);

  close(0ms);
  CHECK(start_profiler() == start_result::closed);
  CHECK(stop_profiler() == stop_result::closed);
}

TEST_CASE("until the first profile starts there is no thread, after close none is left") {
  auto const threads = [] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/task"), {});
  };
  // A thread that was joined may still be listed for a moment.
  auto const falls_to_one = [&] {
    auto const until = std::chrono::steady_clock::now() + 20s;
    while (threads() != 1 && std::chrono::steady_clock::now() < until) std::this_thread::yield();
    return threads() == 1;
  };
  REQUIRE(falls_to_one());
  heard h;
  profiler_client client(options(h));
  CHECK(client.profiler_id().empty());
  CHECK(threads() == 1);
  REQUIRE(client.start_profiler() == start_result::started);
  CHECK(threads() == 4);  // sampler, chunks, transport
  client.close(0ms);
  CHECK(falls_to_one());
}

TEST_CASE("a client of your own throws for what it refuses") {
  CHECK_THROWS_AS(profiler_client({.dsn = "x"}), invalid_options);
  CHECK_THROWS_WITH(profiler_client({.dsn = "http://k@h/1", .profile_session_sample_rate = 2.0}),
                    "profile_session_sample_rate: 2.000000 is not a number from 0 to 1");
}

TEST_CASE("fork with the real sampler: the child starts its own, the parent goes on") {
  heard h;
  profiler_client client(options(h));
  REQUIRE(client.start_profiler() == start_result::started);
  auto const id = client.profiler_id();
  auto const pid = ::fork();
  REQUIRE(pid >= 0);
  if (pid == 0) {
    ::alarm(20);
    if (client.is_running() || !client.profiler_id().empty()) ::_exit(1);
    if (client.start_profiler() != start_result::started) ::_exit(2);
    if (client.profiler_id() == id) ::_exit(3);
    if (client.stop_profiler() != stop_result::stopped) ::_exit(4);
    client.close(0ms);
    ::_exit(0);
  }
  int status = 0;
  REQUIRE(::waitpid(pid, &status, 0) == pid);
  CHECK(status == 0);
  CHECK(client.profiler_id() == id);
  client.close(0ms);
}
