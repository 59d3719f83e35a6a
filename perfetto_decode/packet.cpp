#include "perfetto_decode/packet.hpp"

#include "perfetto_decode/field_cursor.hpp"
#include "proto/fields.hpp"

namespace profile_relay::perfetto_decode {

namespace {

/// Only what a usual packet sets is cleared after one: the rest is clear already, and clearing it all would cost as much as
/// reading a field.
void clear(packet_view& v) {
  if (v.unusual) {
    v = {};
    return;
  }
  v.has_timestamp = false;
  v.sequence_id = 0;
  v.sequence_flags = 0;
  v.clock_id = 0;
  v.interned_data = byte_span{};
  v.perf_sample = byte_span{};
}

}  // namespace

bool parse_packet(byte_span bytes, packet_view& out) {
  namespace f = proto::fields::trace_packet;
  clear(out);
  field_cursor r(bytes);
  std::uint64_t v = 0;
  byte_span sub;
  // What is not asked for is passed over undecoded; damage ends the loop by itself. The first ones are mostly these.
  r.pass(varint_tag(f::trusted_uid));
  if (r.take(varint_tag(f::timestamp), v)) {
    out.timestamp = v;
    out.has_timestamp = true;
  }
  if (r.take(varint_tag(f::trusted_packet_sequence_id), v)) out.sequence_id = static_cast<std::uint32_t>(v);
  if (r.take(varint_tag(f::sequence_flags), v)) out.sequence_flags = static_cast<std::uint32_t>(v);
  if (r.take_long(bytes_tag(f::perf_sample), sub)) out.perf_sample = sub;
  r.pass_long(varint_tag(f::trusted_pid));
  while (r.next()) {
    switch (r.tag()) {
      case varint_tag(f::timestamp):
        if (!r.varint(v)) break;
        out.timestamp = v;
        out.has_timestamp = true;
        break;
      case varint_tag(f::trusted_packet_sequence_id):
        if (r.varint(v)) out.sequence_id = static_cast<std::uint32_t>(v);
        break;
      case varint_tag(f::sequence_flags):
        if (r.varint(v)) out.sequence_flags = static_cast<std::uint32_t>(v);
        break;
      case bytes_tag(f::perf_sample):
        if (r.bytes(sub)) out.perf_sample = sub;
        break;
      case bytes_tag(f::interned_data):
        if (r.bytes(sub)) out.interned_data = sub;
        break;
      case varint_tag(f::incremental_state_cleared):
        if (r.varint(v)) out.incremental_state_cleared = v != 0;
        out.unusual = true;
        break;
      case varint_tag(f::previous_packet_dropped):
        if (r.varint(v)) out.previous_packet_dropped = static_cast<std::uint32_t>(v);
        out.unusual = true;
        break;
      case varint_tag(f::timestamp_clock_id):
        if (r.varint(v)) out.clock_id = static_cast<std::uint32_t>(v);
        break;
      case varint_tag(f::machine_id):
        if (r.varint(v)) out.machine_id = static_cast<std::uint32_t>(v);
        out.unusual = true;
        break;
      case bytes_tag(f::process_tree):
        if (r.bytes(sub)) out.process_tree = sub;
        out.unusual = true;
        break;
      case bytes_tag(f::clock_snapshot):
        if (r.bytes(sub)) out.clock_snapshot = sub;
        out.unusual = true;
        break;
      case bytes_tag(f::track_event):
        if (r.bytes(sub)) out.track_event = sub;
        out.unusual = true;
        break;
      case bytes_tag(f::synchronization_marker):
        out.synchronization_marker = r.bytes(sub);
        out.unusual = true;
        break;
      case bytes_tag(f::process_descriptor):
        if (r.bytes(sub)) out.process_descriptor = sub;
        out.unusual = true;
        break;
      case bytes_tag(f::thread_descriptor):
        if (r.bytes(sub)) out.thread_descriptor = sub;
        out.unusual = true;
        break;
      case bytes_tag(f::compressed_packets):
        if (r.bytes(sub)) out.compressed_packets = sub;
        out.unusual = true;
        break;
      case bytes_tag(f::streaming_profile_packet):
        if (r.bytes(sub)) out.streaming_profile = sub;
        out.unusual = true;
        break;
      case bytes_tag(f::trace_packet_defaults):
        if (r.bytes(sub)) out.defaults = sub;
        out.unusual = true;
        break;
      case bytes_tag(f::track_descriptor):
        if (r.bytes(sub)) out.track_descriptor = sub;
        out.unusual = true;
        break;
      case bytes_tag(f::module_symbols):
        if (r.bytes(sub)) out.module_symbols = sub;
        out.unusual = true;
        break;
      case bytes_tag(f::deobfuscation_mapping):
        out.deobfuscation_mapping = r.bytes(sub);
        out.unusual = true;
        break;
      case bytes_tag(f::service_event):
      case bytes_tag(f::extension_descriptor):
        out.service_or_extension = r.bytes(sub);
        out.unusual = true;
        break;
      case bytes_tag(f::remote_clock_sync):
        if (r.bytes(sub)) out.remote_clock_sync = sub;
        out.unusual = true;
        break;
      case bytes_tag(f::zstd_compressed_packets):
        if (r.bytes(sub)) out.zstd_compressed_packets = sub;
        out.unusual = true;
        break;
      case bytes_tag(f::stack_sample):
        if (r.bytes(sub)) out.stack_sample = sub;
        out.unusual = true;
        break;
      default:
        r.skip();
    }
  }
  return r.ok();
}

}  // namespace profile_relay::perfetto_decode
