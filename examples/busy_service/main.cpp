// A small service with the profiler in it: threads that spin, sleep, wait for a lock, allocate, and share their time 70 to
// 30 between two functions.

#include <pthread.h>

#include <cstdlib>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include "examples/busy_service/work.hpp"
#include "profile_relay/profiler.hpp"

namespace {

constexpr char const* usage =
    "usage: busy-service DSN SECONDS [ROUNDS]\n"
    "Profiles itself for SECONDS, ROUNDS times (default: once), and sends what it finds to DSN.\n"
    "Ends with 1 if the profiler did not start.\n";

template <class Work>
std::jthread named(char const* name, Work work) {
  return std::jthread([=] {
    ::pthread_setname_np(::pthread_self(), name);
    work();
  });
}

bool profile(std::chrono::duration<double> time) {
  auto const result = profile_relay::start_profiler();
  std::cerr << "start_profiler: " << profile_relay::to_string(result) << std::endl;
  if (result != profile_relay::start_result::started) return false;
  std::this_thread::sleep_for(time);
  profile_relay::stop_profiler();
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  double const seconds = argc > 2 ? std::strtod(argv[2], nullptr) : 0;
  int const rounds = argc > 3 ? std::atoi(argv[3]) : 1;
  if (argc < 3 || argc > 4 || !(seconds > 0) || rounds < 1) {
    std::cerr << usage;
    return 2;
  }

  profile_relay::profiler_options options;
  options.dsn = argv[1];
  options.release = "busy-service@1.0";
  options.environment = "example";
  options.profile_session_sample_rate = 1.0;
  options.debug = true;
  options.log = [](std::string const& line) { std::cerr << line + "\n" << std::flush; };
  if (!profile_relay::init(options)) return 1;

  busy::stop_flag stop = false;
  std::mutex lock;
  bool good = true;
  {
    std::vector<std::jthread> const threads = [&] {
      std::vector<std::jthread> out;
      out.push_back(named("spinner", [&] { busy::spin(stop); }));
      out.push_back(named("sleeper", [&] { busy::sleep_often(stop); }));
      out.push_back(named("fighter-1", [&] { busy::fight_for_lock(stop, lock); }));
      out.push_back(named("fighter-2", [&] { busy::fight_for_lock(stop, lock); }));
      out.push_back(named("allocator", [&] { busy::allocate(stop); }));
      out.push_back(named("splitter", [&] { busy::split_work(stop); }));
      return out;
    }();
    for (int round = 0; good && round < rounds; ++round)
      good = profile(std::chrono::duration<double>(seconds));
    stop = true;
  }
  profile_relay::close(std::chrono::seconds(10));
  return good ? 0 : 1;
}
