#pragma once

#include <cstdint>

#include "perfetto_decode/wire_reader.hpp"

namespace profile_relay::perfetto_decode {

/// A sub-message of a packet; `data == nullptr` means that the field is absent (an empty one has a data
/// pointer).
struct submessage {
  const std::byte* data = nullptr;
  std::size_t size = 0;

  bool present() const { return data != nullptr; }
  byte_span bytes() const { return {data, size}; }
  void operator=(byte_span s) {
    data = s.data();
    size = s.size();
  }
};

/// The top level of one TracePacket: scalars by value, sub-messages as views. Of a field that stands twice
/// the last counts. Source: perfetto-decoding 1.1.
struct packet_view {
  std::uint64_t timestamp = 0;
  std::uint32_t sequence_id = 0;  ///< 0 = no sequence
  std::uint32_t sequence_flags = 0;
  std::uint32_t clock_id = 0;
  std::uint32_t machine_id = 0;  ///< 0 = host
  std::uint32_t previous_packet_dropped = 0;
  bool has_timestamp = false;
  bool incremental_state_cleared = false;
  bool synchronization_marker = false;
  bool service_or_extension = false;
  bool deobfuscation_mapping = false;
  /// Set when there is anything but a timestamp and its clock, a sequence, its flags, interned data and a PerfSample, which
  /// is all that most packets have.
  bool unusual = false;
  submessage process_tree, clock_snapshot, track_event, interned_data, process_descriptor, thread_descriptor;
  submessage compressed_packets, streaming_profile, defaults, track_descriptor, module_symbols, perf_sample;
  submessage remote_clock_sync, zstd_compressed_packets, stack_sample;
};

inline constexpr std::uint32_t flag_incremental_state_cleared = 1;
inline constexpr std::uint32_t flag_needs_incremental_state = 2;

/// Reads over what `out` held before. False when the packet does not parse to its end; `out` is then meaningless.
bool parse_packet(byte_span bytes, packet_view& out);

}  // namespace profile_relay::perfetto_decode
