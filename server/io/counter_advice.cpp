#include "server/io/counter_advice.hpp"

#include <algorithm>

namespace profile_relay::server {

namespace {

using enum perfetto_decode::counter;

struct advice {
  perfetto_decode::counter id;
  std::string_view text;
};

constexpr std::string_view larger_buffer =
    "give the recording a larger buffer, a lower frequency or a shorter chunk; set incremental_state_config "
    "clear_period_ms so that a loss costs seconds, not the rest";
constexpr std::string_view producer_bug = "a fault of the producer: report it with the trace";
constexpr std::string_view other_clock =
    "let the service take clock snapshots (builtin_data_sources.disable_clock_snapshotting must be off) and "
    "stamp samples in a clock that they hold";
constexpr std::string_view damaged =
    "the file was damaged after it was written: compare its size and checksum where it was recorded, and "
    "check what moved it";
constexpr std::string_view interning =
    "usually follows a loss on the same sequence; without one it is a fault of the producer: report it with "
    "the trace";

// This is the ONE table. Every counter has a row.
constexpr advice table[] = {
    {incremental_state_cleared_missing_sequence_id, producer_bug},
    {packet_skipped_seq_needs_incremental_state_invalid, larger_buffer},
    {interned_data_skipped_incremental_state_invalid, larger_buffer},
    {previous_packet_dropped_missing_sequence_id, producer_bug},
    {trace_packet_defaults_missing_sequence_id, producer_bug},
    {interned_data_missing_sequence_id, producer_bug},
    {thread_descriptor_missing_sequence_id, producer_bug},
    {needs_incremental_state_missing_sequence_id, producer_bug},
    {previous_packet_dropped, larger_buffer},
    {interned_data_tokenizer_errors, producer_bug},
    {invalid_clock_snapshots,
     "expected where trace files were joined: send them one by one; otherwise a fault of the producer"},
    {clock_sync_failure_unknown_source_clock, other_clock},
    {clock_sync_failure_unknown_target_clock, other_clock},
    {clock_sync_failure_no_path, other_clock},
    {realtime_step_back, "times before the step are squeezed; look at the device's time synchronisation"},
    {stackprofile_invalid_string_id, interning},
    {stackprofile_invalid_mapping_id, interning},
    {stackprofile_invalid_frame_id, interning},
    {stackprofile_invalid_callstack_id, interning},
    {stackprofile_empty_callstack, "expected of producers that mark idle threads so; it draws nothing"},
    {stackprofile_parser_error, producer_bug},
    {deobfuscation_not_applied, "upload the mapping to the consumer and name it in debug_meta"},
    {mapping_path_truncated, interning},
    {mapping_path_too_long, "the mapping's path has more parts than we take: report it with the trace"},
    {invalid_utf8_string,
     "the name is lost, the address is kept: symbolicate it, or report it to the producer"},
    {streaming_profile_invalid_timestamp, producer_bug},
    {streaming_profile_no_reference,
     "a thread descriptor with a reference time is missing, usually lost with earlier packets: give the "
     "recording a larger buffer"},
    {perf_cpu_lost_records,
     "the kernel's ring buffer ran over: enlarge ring_buffer_pages, shorten ring_buffer_read_period_ms, or "
     "lower the frequency"},
    {perf_samples_skipped,
     "the profiler fell behind or the process was gone: lower the frequency or narrow the target"},
    {perf_samples_skipped_dataloss,
     "the profiler's unwinder was overloaded: lower the frequency, narrow the target or raise "
     "max_enqueued_footprint_kb"},
    {perf_guardrail_stop_ts,
     "the profiler stopped itself at its memory limit: raise max_daemon_memory_kb, or profile less"},
    {sample_without_callstack,
     "expected of recordings that only count; otherwise set callstack_sampling in the recording"},
    {sample_non_cpu_timebase,
     "expected of recordings of page faults, tracepoints and the like; for a CPU profile sample "
     "SW_CPU_CLOCK"},
    {sample_without_task, "report it to the producer; the samples stand under thread 0"},
    {unwind_error, "some is normal; if most stacks are cut, the libraries lack unwind information"},
    {packet_truncated,
     "recording or upload ended early: let the recording finish and flush before the file is sent"},
    {packet_corrupt, damaged},
    {bundle_corrupt, damaged},
    {image_without_range,
     "expected of anonymous regions and of Chrome's modules; their frames need names in the trace"},
    {image_without_build_id, "link the library with --build-id, or its frames stay without names"},
    {single_sample_thread,
     "expected of threads that hardly run; a higher frequency or a longer chunk shows them"},
};

}  // namespace

std::string_view advice_for(perfetto_decode::counter c) {
  auto const* const row = std::ranges::find(table, c, &advice::id);
  return row == std::end(table) ? std::string_view{} : row->text;
}

}  // namespace profile_relay::server
