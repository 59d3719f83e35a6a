#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace profile_relay::perfetto_decode {

/// A field of TracePacket that says what the packet is about.
struct packet_kind {
  std::uint32_t number;
  std::string_view name;
};

/// In order of their numbers. Those that we read, and those that other data sources write into the same trace.
std::span<const packet_kind> packet_kinds();

}  // namespace profile_relay::perfetto_decode
