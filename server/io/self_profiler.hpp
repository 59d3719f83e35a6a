#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "server/io/delivery_error.hpp"

namespace profile_relay {
class profiler_client;
}

namespace profile_relay::server {

/// The server's profile of itself (`profiling.self_dsn`), taken and sent by the project's own client like that of any
/// other service. It works by the clock, never by traffic: a chunk each minute, or for each 90,000 samples where more
/// than 14 threads make them sooner. So a DSN that points at this very server costs it one small request a minute, and
/// none of its own uploads makes another one.
class self_profiler {
 public:
  /// Null without a DSN; an error that names the option for one that is none. Starts nothing yet.
  static start_result<std::unique_ptr<self_profiler>> make(std::string const& dsn);
  ~self_profiler();

  /// To be called when the server can take a request, which may be its own. A profiler that does not start is logged
  /// and else without effect.
  void start();

  /// Sends what there is, within `patience`. To be called while the server still takes requests.
  void stop(std::chrono::milliseconds patience);

 private:
  explicit self_profiler(std::string const& dsn);

  std::unique_ptr<profiler_client> client_;
};

}  // namespace profile_relay::server
