#include "perfetto_decode/packet.hpp"

#include "proto/fields.hpp"

namespace profile_relay::perfetto_decode {

bool parse_packet(byte_span bytes, packet_view& out) {
  namespace f = proto::fields::trace_packet;
  wire_reader r(bytes);
  while (r.next()) {
    if (r.is_varint()) {
      auto const v = r.value();
      auto const v32 = static_cast<std::uint32_t>(v);
      switch (r.number()) {
        case f::timestamp:
          out.timestamp = v;
          out.has_timestamp = true;
          break;
        case f::trusted_packet_sequence_id:
          out.sequence_id = v32;
          break;
        case f::sequence_flags:
          out.sequence_flags = v32;
          break;
        case f::incremental_state_cleared:
          out.incremental_state_cleared = v != 0;
          break;
        case f::previous_packet_dropped:
          out.previous_packet_dropped = v32;
          break;
        case f::timestamp_clock_id:
          out.clock_id = v32;
          break;
        case f::machine_id:
          out.machine_id = v32;
          break;
        default:
          break;
      }
    } else if (r.is_bytes()) {
      switch (r.number()) {
        case f::process_tree:
          out.process_tree = r.bytes();
          break;
        case f::clock_snapshot:
          out.clock_snapshot = r.bytes();
          break;
        case f::track_event:
          out.track_event = r.bytes();
          break;
        case f::interned_data:
          out.interned_data = r.bytes();
          break;
        case f::synchronization_marker:
          out.synchronization_marker = true;
          break;
        case f::process_descriptor:
          out.process_descriptor = r.bytes();
          break;
        case f::thread_descriptor:
          out.thread_descriptor = r.bytes();
          break;
        case f::compressed_packets:
          out.compressed_packets = r.bytes();
          break;
        case f::streaming_profile_packet:
          out.streaming_profile = r.bytes();
          break;
        case f::trace_packet_defaults:
          out.defaults = r.bytes();
          break;
        case f::track_descriptor:
          out.track_descriptor = r.bytes();
          break;
        case f::module_symbols:
          out.module_symbols = r.bytes();
          break;
        case f::deobfuscation_mapping:
          out.deobfuscation_mapping = true;
          break;
        case f::perf_sample:
          out.perf_sample = r.bytes();
          break;
        case f::service_event:
        case f::extension_descriptor:
          out.service_or_extension = true;
          break;
        case f::remote_clock_sync:
          out.remote_clock_sync = r.bytes();
          break;
        case f::zstd_compressed_packets:
          out.zstd_compressed_packets = r.bytes();
          break;
        case f::stack_sample:
          out.stack_sample = r.bytes();
          break;
        default:
          break;
      }
    }
  }
  return r.ok();
}

}  // namespace profile_relay::perfetto_decode
