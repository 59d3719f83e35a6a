// What the lifecycle is told and what it wants done: plain values.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "profile_relay/profiler.hpp"
#include "sdk/lifecycle/chunk_limits.hpp"
#include "sdk/lifecycle/warnings.hpp"

namespace profile_relay::sdk {

/// Since boot, suspension included: steps of the wall clock do not reach the lifecycle.
using lifecycle_time = std::chrono::nanoseconds;

/// What one launch decides for the next (profiling API, R18).
struct launch_decision {
  bool session = false;
  /// The root span of the app start; used in the trace lifecycle.
  bool app_start = false;
  friend bool operator==(launch_decision const&, launch_decision const&) = default;
};

namespace event {
/// First and once. stored: what the last launch decided; absent when its file is missing or damaged.
struct init {
  std::optional<launch_decision> stored;
  /// What the trace sampler says of the root span of an app start; asked only for start_profiler_on_app_start.
  double app_start_rate = 0;
};
struct start {};
struct stop {};
/// The answer to action::start_sampler, before any other event.
struct sampler_answer {
  bool running;
};
/// Of a sampled root span only; an unsampled one is no event.
struct root_span_begun {
  std::uint64_t id;
};
struct root_span_ended {
  std::uint64_t id;
};
/// The open chunk has reached a limit.
struct chunk_due {};
struct rate_limited {
  std::chrono::milliseconds duration;
};
/// The server answered 413.
struct too_large {};
struct user_session {};
struct app_start_finished {};
struct close {};
}  // namespace event

using lifecycle_event =
    std::variant<event::init, event::start, event::stop, event::sampler_answer, event::root_span_begun,
                 event::root_span_ended, event::chunk_due, event::rate_limited, event::too_large,
                 event::user_session, event::app_start_finished, event::close>;

namespace action {
/// Start the sampler and a first chunk of this profile; event::sampler_answer must follow.
struct start_sampler {
  std::string profiler_id;
};
/// Stop at once; the open chunk is complete and goes out.
struct stop_sampler {};
/// The open chunk is complete and goes out; the next one of the same profile begins.
struct next_chunk {};
struct set_limits {
  chunk_limits limits;
};
struct store_launch {
  launch_decision decision;
};
/// One line for the log; only in debug mode.
struct warn {
  warning what;
};
/// The answer to event::start.
struct answer_start {
  start_result result;
};
/// The answer to event::stop.
struct answer_stop {
  stop_result result;
};
}  // namespace action

using lifecycle_action =
    std::variant<action::start_sampler, action::stop_sampler, action::next_chunk, action::set_limits,
                 action::store_launch, action::warn, action::answer_start, action::answer_stop>;

}  // namespace profile_relay::sdk
