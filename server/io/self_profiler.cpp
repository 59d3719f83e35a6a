#include "server/io/self_profiler.hpp"

#include "profile_relay/profiler.hpp"
#include "server/io/logging.hpp"

namespace profile_relay::server {

self_profiler::self_profiler(std::string const& dsn) {
  profiler_options options;
  options.dsn = dsn;
  options.release = "profile-relay@" PROFILE_RELAY_VERSION;
  options.profile_session_sample_rate = 1;
  options.log = [](std::string const& line) { log(log_level::warn, "own profile: " + line); };
  client_ = std::make_unique<profiler_client>(std::move(options));
}

self_profiler::~self_profiler() = default;

start_result<std::unique_ptr<self_profiler>> self_profiler::make(std::string const& dsn) {
  std::unique_ptr<self_profiler> out;
  try {
    if (!dsn.empty()) out.reset(new self_profiler(dsn));
  } catch (invalid_options const& e) {
    return start_error{std::string("profiling.self_dsn: ") + e.what()};
  }
  return out;
}

void self_profiler::start() {
  auto const result = client_->start_profiler();
  log(result == profile_relay::start_result::started ? log_level::info : log_level::warn, "own profile",
      {{"start", to_string(result)}});
}

void self_profiler::stop(std::chrono::milliseconds patience) { client_->close(patience); }

}  // namespace profile_relay::server
