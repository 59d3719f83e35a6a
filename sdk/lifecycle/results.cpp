#include "profile_relay/profiler.hpp"

namespace profile_relay {

char const* to_string(start_result result) noexcept {
  switch (result) {
    case start_result::started:
      return "started";
    case start_result::already_running:
      return "already_running";
    case start_result::not_sampled:
      return "not_sampled";
    case start_result::trace_lifecycle:
      return "trace_lifecycle";
    case start_result::not_initialised:
      return "not_initialised";
    case start_result::closed:
      return "closed";
    case start_result::rate_limited:
      return "rate_limited";
    case start_result::sampler_unavailable:
      return "sampler_unavailable";
  }
  return "";
}

char const* to_string(stop_result result) noexcept {
  switch (result) {
    case stop_result::stopped:
      return "stopped";
    case stop_result::not_running:
      return "not_running";
    case stop_result::trace_lifecycle:
      return "trace_lifecycle";
    case stop_result::not_initialised:
      return "not_initialised";
    case stop_result::closed:
      return "closed";
  }
  return "";
}

}  // namespace profile_relay
