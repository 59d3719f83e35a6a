#include "perfetto_decode/packed.hpp"

#include "perfetto_decode/container.hpp"
#include "perfetto_decode/inflate.hpp"
#include "proto/fields.hpp"

namespace profile_relay::perfetto_decode {

bool holds_packed(byte_span trace) {
  namespace f = proto::fields::trace_packet;
  if (packing_of_file(trace)) return true;
  bool found = false;
  walk_packets(trace, SIZE_MAX, false, [&](byte_span packet, std::size_t) {
    wire_reader fields(packet);
    while (!found && fields.next())
      found = fields.is_bytes() &&
              (fields.number() == f::compressed_packets || fields.number() == f::zstd_compressed_packets);
    return !found && fields.ok();
  });
  return found;
}

}  // namespace profile_relay::perfetto_decode
