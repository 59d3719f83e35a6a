#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "perfetto_decode/counters.hpp"
#include "perfetto_decode/error.hpp"
#include "perfetto_decode/limits.hpp"
#include "perfetto_decode/survey_clocks.hpp"

namespace profile_relay::perfetto_decode {

struct kind_survey {
  std::string_view name;  ///< of the field of TracePacket, or "other"
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;  ///< of the payloads; of `other`, of the packets
};

/// Bundles of one codec.
struct bundle_survey {
  std::uint64_t count = 0, packed = 0, inflated = 0;
};

struct sequence_survey {
  std::uint32_t machine = 0, id = 0;
  std::uint64_t packets = 0, bytes = 0;
  std::uint64_t clears = 0;
  std::uint64_t losses = 0;  ///< the first packet of a sequence does not count
  loss_counts losses_by_reason{};
  std::uint64_t samples = 0;           ///< in all its sample packets, be they usable or not
  std::uint64_t needs_state = 0;       ///< packets with flag 2
  std::uint64_t skipped = 0;           ///< of these, while the state was not valid
  std::uint64_t interned = 0;          ///< entries that count
  std::uint64_t interned_ignored = 0;  ///< entries before a clear or after a loss
  bool valid = false;                  ///< its incremental state, at the end
  bool has_defaults = false;           ///< met at least once
  std::uint32_t default_clock = 0;     ///< of its latest defaults; 0 = none
  std::string timebase;                ///< of its latest defaults that name one, in words; "" = none
  std::string source;                  ///< what StackSampleDefaults call themselves
};

struct machine_survey {
  std::uint32_t id = 0;  ///< 0 = host
  std::uint64_t packets = 0;
};

/// What the sample packets are, before anything is resolved.
struct sample_survey {
  std::uint64_t perf_with_stack = 0, perf_without_stack = 0;
  std::uint64_t perf_loss_reports = 0;     ///< kernel_records_lost: no samples
  std::uint64_t perf_producer_events = 0;  ///< the profiler stopped by itself: no samples
  std::uint64_t perf_skip_reasons = 0;     ///< among the first two: sample_skipped_reason 1 to 3
  std::uint64_t streaming_packets = 0, streaming_samples = 0;
  std::uint64_t stack_samples_with_stack = 0, stack_samples_without_stack = 0;
  std::map<std::uint32_t, std::uint64_t>
      lost_records_by_cpu;  ///< at most `max_cpus`; the rest under the last
  static constexpr std::uint32_t max_cpus = 1'024;
  std::uint64_t skipped_packets = 0;  ///< of any kind, in none of the above: flag 2 while the state was lost

  std::uint64_t total() const {
    return perf_with_stack + perf_without_stack + streaming_samples + stack_samples_with_stack +
           stack_samples_without_stack;
  }
};

enum class file_packing : std::uint8_t { plain, gzip, zstd };

/// What a trace is made of: a count of what is there, independent of whether it can be decoded.
struct survey {
  std::uint64_t bytes = 0;  ///< of the input
  file_packing packing = file_packing::plain;
  std::uint64_t inflated_bytes = 0;  ///< of a compressed file
  std::uint64_t packets = 0;         ///< including those inside bundles
  std::uint64_t packets_without_sequence = 0;
  std::vector<kind_survey> kinds;  ///< most packets first; only those that are there
  bundle_survey zlib_bundles, zstd_bundles;
  std::vector<sequence_survey> sequences;        ///< most packets first
  std::uint64_t packets_of_other_sequences = 0;  ///< past limits::sequences
  std::vector<machine_survey> machines;
  sample_survey samples;
  std::uint64_t interned_callstacks = 0;  ///< entries that count, of all intervals
  clock_survey clocks;

  bool truncated = false;  ///< the last packet is cut off; it begins at `end`
  counter damage{};        ///< packet_corrupt or bundle_corrupt, where there is a damage_offset
  std::optional<std::uint64_t> damage_offset;
  std::uint64_t end = 0;         ///< where reading ended, in the (inflated) trace
  std::optional<error> refused;  ///< a limit of the reader; what precedes it is counted
};

/// Reads a trace once and counts. Never refuses: what can be counted is. Memory is bounded by the limits for
/// packets in flight and by caps on every list.
survey take_survey(std::span<const std::byte> trace, limits const& lim = {});

}  // namespace profile_relay::perfetto_decode
