#include <google/protobuf/io/coded_stream.h>

#include "bench/subjects.hpp"
#include "proto/trace.pb.h"

namespace profile_relay::bench {

std::uint64_t parse_with_protobuf(std::span<const std::byte> trace) {
  auto const* at = reinterpret_cast<const std::uint8_t*>(trace.data());
  auto const* const end = at + trace.size();
  std::uint64_t sum = 0;
  while (at != end) {
    google::protobuf::io::CodedInputStream head(at, static_cast<int>(std::min<std::ptrdiff_t>(end - at, 16)));
    std::uint32_t length = 0;
    if (head.ReadTag() != 0x0a || !head.ReadVarint32(&length)) return 0;
    at += head.CurrentPosition();
    if (length > static_cast<std::size_t>(end - at)) return 0;
    perfetto::protos::TracePacket packet;
    if (!packet.ParseFromArray(at, static_cast<int>(length))) return 0;
    sum += packet.timestamp();
    at += length;
  }
  return sum;
}

}  // namespace profile_relay::bench
