// The ONE table of what the client says in debug mode.
#pragma once

#include <cstdint>
#include <string_view>

namespace profile_relay::sdk {

enum class warning : std::uint8_t {
  start_already_running,
  start_not_sampled,
  start_trace_lifecycle,
  start_closed,
  start_rate_limited,
  start_sampler_unavailable,
  stop_not_running,
  stop_trace_lifecycle,
  stop_closed,
  span_sampler_unavailable,
  app_start_sampler_unavailable,
  transaction_profiling,
  trace_without_tracing,
  app_start_without_state_dir,
  stopped_by_rate_limit,
  chunks_halved,
};

/// The whole line. Static storage.
[[nodiscard]] std::string_view text_of(warning what);

}  // namespace profile_relay::sdk
