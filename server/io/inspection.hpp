#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "perfetto_decode/decoded_trace.hpp"
#include "perfetto_decode/survey.hpp"
#include "profile/convert.hpp"
#include "profile/error.hpp"
#include "profile/sample_v2.hpp"

namespace profile_relay::server {

/// What a person should conclude, before all numbers.
struct inspect_verdict {
  std::string_view code;            ///< usable, losses, empty, nothing_usable, no_wall_clock or rejected
  std::string text;                 ///< one sentence
  std::vector<std::string> advice;  ///< what to look at next, most likely first
};

/// Everything that `inspect` shows: what the trace is made of, what the decoder makes of it, and what the server
/// would send. It refers to the bytes that it was made from.
struct inspection {
  std::uint64_t bytes = 0;
  perfetto_decode::survey survey;
  std::optional<perfetto_decode::decoded_trace> trace;  ///< absent when the decoder refuses
  profile::sample_v2::chunk chunk;                      ///< converted and normalised, as far as that got
  profile::convert_counts conversion;
  std::uint64_t single_sample_thread = 0;   ///< samples that normalising dropped
  std::optional<profile::error> rejection;  ///< why the server would reject the chunk
  inspect_verdict verdict;

  bool refused() const { return !trace; }  ///< by the decoder
};

inspection inspect_trace(std::span<const std::byte> bytes);

/// Samples of a task, most first.
struct task_samples {
  std::uint32_t task;
  std::uint64_t samples;
};
std::vector<task_samples> samples_by_task(perfetto_decode::decoded_trace const& t);

/// Samples of a process, most first.
struct process_samples {
  std::uint32_t machine = 0;
  bool has_pid = false;
  std::int64_t pid = 0;
  std::string_view name;
  std::uint64_t threads = 0, samples = 0;
};
std::vector<process_samples> samples_by_process(perfetto_decode::decoded_trace const& t);

/// First and last wall time of the samples that have one.
std::optional<std::pair<std::int64_t, std::int64_t>> wall_range(perfetto_decode::decoded_trace const& t);

/// Unwind errors by name, those that were counted.
std::vector<std::pair<std::string_view, std::uint64_t>> unwind_errors(perfetto_decode::counters const& c);

}  // namespace profile_relay::server
