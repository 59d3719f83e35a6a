// Who owns SIGPROF. Each in a child, which keeps the test program's own signals as they are.
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>

#include "sdk/sampler/signal_sampler.hpp"
#include "tests/sdk/sampler/support.hpp"

namespace sdk = profile_relay::sdk;
namespace fs = std::filesystem;
using sdk::testing::busy_thread;
using sdk::testing::in_child;
using sdk::testing::recording_sink;

namespace {

volatile sig_atomic_t host_calls = 0;

void host_handler(int) { host_calls = host_calls + 1; }

void set_handler(void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  ::sigaction(SIGPROF, &action, nullptr);
}

auto current_handler() {
  struct sigaction action {};
  ::sigaction(SIGPROF, nullptr, &action);
  return action.sa_handler;
}

sdk::sampler_status start(sdk::sampler& sampler, recording_sink& sink) { return sampler.start(sink); }

}  // namespace

TEST_CASE("a foreign handler of SIGPROF is left alone, and the sampler is unavailable") {
  CHECK(in_child([] {
          set_handler(host_handler);
          recording_sink sink;
          auto const sampler = sdk::make_signal_sampler();
          if (start(*sampler, sink) != sdk::sampler_status::unavailable) return 1;
          sampler->stop();
          ::raise(SIGPROF);
          if (current_handler() != host_handler || host_calls != 1 || sink.calls != 0) return 2;
          // Without it, the same sampler runs.
          set_handler(SIG_DFL);
          if (start(*sampler, sink) != sdk::sampler_status::running) return 3;
          sink.wait_for_ticks(2);
          sampler->stop();
          return 0;
        }) == 0);
}

TEST_CASE("SIGPROF is given back as it was found") {
  auto const before = GENERATE(SIG_DFL, SIG_IGN);
  CHECK(in_child([&] {
          set_handler(before);
          recording_sink sink;
          auto const sampler = sdk::make_signal_sampler();
          if (start(*sampler, sink) != sdk::sampler_status::running) return 1;
          if (current_handler() == before) return 2;
          sink.wait_for_ticks(2);
          sampler->stop();
          return current_handler() == before ? 0 : 3;
        }) == 0);
}

TEST_CASE("a signal that was still pending when the sampler stopped does not end the process") {
  CHECK(in_child([] {
          sigset_t set, pending;
          ::sigemptyset(&set);
          ::sigaddset(&set, SIGPROF);
          ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
          recording_sink sink;
          auto const sampler = sdk::make_signal_sampler();
          if (start(*sampler, sink) != sdk::sampler_status::running) return 1;
          sink.wait_for_ticks(3);
          ::sigpending(&pending);
          if (::sigismember(&pending, SIGPROF) != 1) return 2;
          sampler->stop();
          if (current_handler() != SIG_DFL) return 3;
          ::pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
          return 0;
        }) == 0);
}

TEST_CASE("a handler that the host installs while sampling gets no signals of ours and stays") {
  CHECK(in_child([] {
          recording_sink sink;
          sdk::signal_sampler sampler(sdk::stack_walk::automatic);
          if (start(sampler, sink) != sdk::sampler_status::running) return 1;
          sink.wait_for_ticks(2);
          set_handler(host_handler);
          sink.wait_for_ticks(3);  // what was on its way
          int const before = host_calls;
          sink.wait_for_ticks(10);
          if (host_calls != before) return 2;
          sampler.stop();
          if (sampler.statistics().without_signal < 10) return 3;
          return current_handler() == host_handler ? 0 : 4;
        }) == 0);
}

TEST_CASE("one sampler of this copy at a time") {
  recording_sink one_sink, two_sink;
  auto const one = sdk::make_signal_sampler(), two = sdk::make_signal_sampler();
  REQUIRE(start(*one, one_sink) == sdk::sampler_status::running);
  CHECK(start(*two, two_sink) == sdk::sampler_status::unavailable);
  two->stop();
  one_sink.wait_for_ticks(3);
  one->stop();
  REQUIRE(start(*two, two_sink) == sdk::sampler_status::running);
  two_sink.wait_for_ticks(3);
}

TEST_CASE("of many threads that start a sampler at once one gets it") {
  for (int round = 0; round < 10; ++round) {
    std::atomic<int> started{0}, ready{0};
    std::vector<std::unique_ptr<recording_sink>> sinks;
    std::vector<std::unique_ptr<sdk::sampler>> samplers;
    for (int i = 0; i < 8; ++i) {
      sinks.push_back(std::make_unique<recording_sink>());
      samplers.push_back(sdk::make_signal_sampler());
    }
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < 8; ++i)
      threads.emplace_back([&, i] {
        ++ready;
        while (ready < 8) std::this_thread::yield();
        if (start(*samplers[i], *sinks[i]) == sdk::sampler_status::running) ++started;
      });
    for (auto& t : threads) t.join();
    CHECK(started == 1);
    samplers.clear();
  }
}

TEST_CASE("two shared objects with the library: the second is refused until the first has stopped") {
  auto const folder = fs::temp_directory_path() / ("copies-" + std::to_string(::getpid()));
  fs::create_directories(folder);
  for (auto const* const name : {"one.so", "two.so"})
    fs::copy_file(SAMPLER_COPY, folder / name, fs::copy_options::overwrite_existing);
  CHECK(in_child([&] {
          using start_function = void* (*)();
          using stop_function = void (*)(void*);
          struct loaded {
            start_function start;
            stop_function stop;
          };
          auto const load = [&](char const* name) {
            auto* const handle = ::dlopen((folder / name).c_str(), RTLD_NOW | RTLD_LOCAL);
            if (handle == nullptr) ::_exit(9);
            return loaded{reinterpret_cast<start_function>(::dlsym(handle, "copy_start")),
                          reinterpret_cast<stop_function>(::dlsym(handle, "copy_stop"))};
          };
          auto const one = load("one.so"), two = load("two.so");
          if (one.start == two.start) return 1;
          auto* const running = one.start();
          if (running == nullptr) return 2;
          if (two.start() != nullptr) return 3;
          one.stop(running);
          auto* const second = two.start();
          if (second == nullptr) return 4;
          two.stop(second);
          return 0;
        }) == 0);
  fs::remove_all(folder);
}
