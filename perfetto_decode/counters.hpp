#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string_view>

namespace profile_relay::perfetto_decode {

enum class severity : std::uint8_t {
  info,  ///< tells about the trace; nothing is lost
  loss,  ///< samples, stacks or parts of them are missing from the output
};

/// Every loss that a trace can meet on its way to Sample v2, by name. X(name, severity, meaning).
/// Names are trace_processor's where it has one. Source: perfetto-decoding 12. This is the ONE table; its last three rows
/// are counted by the conversion (library `profile`), all others by the decoder.
#define PROFILE_RELAY_DECODE_COUNTERS(X)                                                                    \
  X(packet_skipped_seq_needs_incremental_state_invalid, loss, "packet needed interned state that was lost") \
  X(interned_data_skipped_incremental_state_invalid, loss,                                                  \
    "interned entries before a clear, or after a loss")                                                     \
  X(incremental_state_cleared_missing_sequence_id, info, "clear in a packet without a sequence")            \
  X(previous_packet_dropped_missing_sequence_id, loss, "loss mark in a packet without a sequence")          \
  X(trace_packet_defaults_missing_sequence_id, loss, "defaults in a packet without a sequence")             \
  X(interned_data_missing_sequence_id, loss, "interned data in a packet without a sequence")                \
  X(thread_descriptor_missing_sequence_id, loss, "thread descriptor in a packet without a sequence")        \
  X(needs_incremental_state_missing_sequence_id, loss, "packet needs interned state but has no sequence")   \
  X(previous_packet_dropped, loss, "the producer or the service lost packets")                              \
  X(interned_data_tokenizer_errors, loss, "interned entry without iid, or a failed look-up")                \
  X(invalid_clock_snapshots, loss, "clock snapshot that contradicts an earlier one")                        \
  X(clock_sync_failure_unknown_source_clock, loss, "sample in a clock that no snapshot knows")              \
  X(clock_sync_failure_unknown_target_clock, loss, "no snapshot knows the clock to convert to")             \
  X(clock_sync_failure_no_path, loss, "no chain of snapshots leads from the sample's clock to the target")  \
  X(realtime_step_back, info, "the wall clock was set back inside the trace")                               \
  X(stackprofile_empty_callstack, info, "callstack without frames: an idle mark")                           \
  X(stackprofile_invalid_string_id, loss, "name that is not interned: the stack is void")                   \
  X(stackprofile_invalid_mapping_id, loss,                                                                  \
    "mapping that is not interned: the stack is void; or symbols for a module that no frame has")           \
  X(stackprofile_invalid_frame_id, loss,                                                                    \
    "frame that is not interned: the stack is void; or symbols for an address that no frame has")           \
  X(stackprofile_invalid_callstack_id, loss, "callstack that is not interned")                              \
  X(stackprofile_parser_error, loss, "streaming packet with more callstacks than deltas")                   \
  X(deobfuscation_not_applied, info, "deobfuscation mapping in the trace; consumers deobfuscate")           \
  X(mapping_path_truncated, loss, "path component that is not interned: the path ends there")               \
  X(mapping_path_too_long, loss, "mapping with too many path components: no path")                          \
  X(invalid_utf8_string, loss, "string that is not UTF-8: the name is dropped, the frame stays")            \
  X(streaming_profile_invalid_timestamp, loss, "streaming sample before time zero: the rest is dropped")    \
  X(streaming_profile_no_reference, loss, "streaming samples without a reference time")                     \
  X(perf_cpu_lost_records, loss, "records that the kernel dropped before the profiler read them")           \
  X(perf_samples_skipped, loss, "samples that the profiler skipped")                                        \
  X(perf_samples_skipped_dataloss, loss, "samples that the profiler lost to a full queue")                  \
  X(perf_guardrail_stop_ts, loss, "the profiler stopped by its own guardrail")                              \
  X(sample_without_callstack, info, "sample without a stack: counters only")                                \
  X(sample_non_cpu_timebase, info, "sample of an event that is not CPU time")                               \
  X(sample_without_task, info, "sample that names no thread; shown as thread 0")                            \
  X(unwind_error, info, "stack that the unwinder could not finish")                                         \
  X(packet_truncated, loss, "packet cut off at the end of the input")                                       \
  X(packet_corrupt, loss, "packet that does not parse: the rest of the input is dropped")                   \
  X(bundle_corrupt, loss, "compressed bundle that does not parse: the rest of the input is dropped")        \
  X(image_without_range, info, "mapping without an address range: no debug image")                          \
  X(image_without_build_id, info, "mapping without a valid build id: no debug image")                       \
  X(single_sample_thread, info, "sample of a thread that has only one with a stack: dropped, as Relay does")

enum class counter : std::uint8_t {
#define X(id, sev, text) id,
  PROFILE_RELAY_DECODE_COUNTERS(X)
#undef X
};

#define X(id, sev, text) +1
inline constexpr std::size_t counter_count = 0 PROFILE_RELAY_DECODE_COUNTERS(X);
#undef X

struct counter_info {
  counter id;
  std::string_view name;
  severity level;
  std::string_view meaning;
};

/// One row per counter, in enum order.
std::span<const counter_info> counter_table();

/// Names of the unwinder's errors by their code; the last one stands for all that are not known. Source: perfetto-decoding
/// 1.2.
std::span<const std::string_view> unwind_error_names();

/// Why packets were lost, by the bits of previous_packet_dropped; the last stands for all that are not known. Source:
/// perfetto-decoding 1.1.
inline constexpr std::array<std::string_view, 10> packet_loss_names{
    "present",      "read gap",  "chunk corrupted", "orphan continuation", "reassembly gap",
    "broken chain", "overwrite", "writer abort",    "shared memory full",  "other"};
using loss_counts = std::array<std::uint64_t, packet_loss_names.size()>;
/// Counts each reason that the bits give.
void count_loss_reasons(std::uint32_t bits, loss_counts& to);

/// The values of one trace. Adding saturates.
class counters {
 public:
  void add(counter c, std::uint64_t n = 1) {
    auto& v = values_[static_cast<std::size_t>(c)];
    v = v > ~n ? ~std::uint64_t{0} : v + n;
  }
  std::uint64_t operator[](counter c) const { return values_[static_cast<std::size_t>(c)]; }
  bool any_loss() const;

  /// Where the first corrupt packet or bundle started, in bytes; meaningful when one was counted.
  std::uint64_t corrupt_offset = 0;
  /// The largest backward step of REALTIME, ns; meaningful when one was counted.
  std::int64_t realtime_step_back_ns = 0;
  /// unwind_error by its code (perfetto-decoding 1.2); codes above the known ones share the last slot.
  std::array<std::uint64_t, 17> unwind_errors{};
  /// previous_packet_dropped by reason bit, in the order of `packet_loss_names`; a packet may give several reasons.
  loss_counts packet_losses{};
  void add_packet_loss(std::uint32_t reason_bits);
  /// perf_cpu_lost_records by CPU. Bounded: of more than `max_cpus` CPUs the rest share the key `other_cpus`.
  static constexpr std::size_t max_cpus = 256;
  static constexpr std::uint32_t other_cpus = 0xffff'ffff;
  std::map<std::uint32_t, std::uint64_t> lost_records_by_cpu;
  void add_lost_records(std::uint32_t cpu, std::uint64_t n);

 private:
  std::array<std::uint64_t, counter_count> values_{};
};

}  // namespace profile_relay::perfetto_decode
