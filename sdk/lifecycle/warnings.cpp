#include "sdk/lifecycle/warnings.hpp"

namespace profile_relay::sdk {

std::string_view text_of(warning what) {
  switch (what) {
    case warning::start_already_running:
      return "start_profiler() does nothing: the profiler is already running";
    case warning::start_not_sampled:
      return "start_profiler() does nothing: this session is not sampled (profile_session_sample_rate)";
    case warning::start_trace_lifecycle:
      return "start_profiler() does nothing: in the trace lifecycle, sampled root spans start the profiler";
    case warning::start_closed:
      return "start_profiler() does nothing: the profiler is closed";
    case warning::start_rate_limited:
      return "start_profiler() does nothing: the server limits profiles at present";
    case warning::start_sampler_unavailable:
      return "start_profiler() does nothing: the sampler cannot run in this process";
    case warning::stop_not_running:
      return "stop_profiler() does nothing: the profiler is not running";
    case warning::stop_trace_lifecycle:
      return "stop_profiler() does nothing: in the trace lifecycle, the end of the last root span stops the "
             "profiler";
    case warning::stop_closed:
      return "stop_profiler() does nothing: the profiler is closed";
    case warning::span_sampler_unavailable:
      return "a sampled root span is not profiled: the sampler cannot run in this process";
    case warning::app_start_sampler_unavailable:
      return "the app start is not profiled: the sampler cannot run in this process";
    case warning::transaction_profiling:
      return "profiles_sample_rate or profiles_sampler is set: profile_session_sample_rate has no effect, "
             "and nothing is "
             "profiled, because transactions are not profiled here";
    case warning::trace_without_tracing:
      return "profile_lifecycle is trace, but neither traces_sample_rate nor traces_sampler is set: nothing "
             "is profiled";
    case warning::app_start_without_state_dir:
      return "start_profiler_on_app_start has no effect without state_dir: the next launch cannot know the "
             "decision";
    case warning::stopped_by_rate_limit:
      return "the profiler stops: the server limits profiles";
    case warning::chunks_halved:
      return "the server refused a chunk as too large: chunks are half as long from now on";
  }
  return "";
}

}  // namespace profile_relay::sdk
