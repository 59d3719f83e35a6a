// A plug-in that brings its own copy of the client.
#include "profile_relay/profiler.hpp"

extern "C" [[gnu::visibility("default")]] int copy_start() {
  static bool const made =
      profile_relay::init({.dsn = "http://key@127.0.0.1:9/1", .profile_session_sample_rate = 1.0});
  return made ? static_cast<int>(profile_relay::start_profiler()) : -1;
}

extern "C" [[gnu::visibility("default")]] int copy_stop() {
  auto const result = profile_relay::stop_profiler();
  return static_cast<int>(result);
}

extern "C" [[gnu::visibility("default")]] void copy_close() {
  profile_relay::close(std::chrono::milliseconds(0));
}
