#pragma once

#include <cstddef>
#include <cstdint>

#include "perfetto_decode/wire_reader.hpp"

namespace profile_relay::perfetto_decode {

/// How a walk over a run of packets ended.
enum class walk_end : std::uint8_t {
  all,         ///< every byte was used
  incomplete,  ///< the last field reaches past the end (of what is there so far)
  corrupt,     ///< not a field
  too_large,   ///< a packet announces more than the limit
  stopped,     ///< the callback said so
};

struct walk_result {
  walk_end end = walk_end::all;
  std::size_t used = 0;  ///< bytes up to the start of the field where it ended
  std::size_t needed =
      0;  ///< incomplete: bytes from there on that the field wants; 0 = its length is not known yet
};

/// Finds the packets of a Trace message (or a part of one) and nothing else: what they mean is another
/// module's work. Calls on_packet(bytes, offset) -> bool for each; other top-level fields are skipped, or
/// refused if `only_packets`. The announced length is checked before the body is looked at. Source:
/// perfetto-decoding 2.
template <class OnPacket>
walk_result walk_packets(byte_span data, std::size_t max_packet, bool only_packets, OnPacket&& on_packet) {
  const std::byte* const begin = data.data();
  const std::byte* const end = begin + data.size();
  const std::byte* p = begin;
  constexpr std::uint64_t packet_tag = (1u << 3) | 2u;
  while (p != end) {
    auto const at = static_cast<std::size_t>(p - begin);
    std::uint64_t tag = 0, length = 0;
    const std::byte* q = read_varint(p, end, tag);
    if (q == nullptr) return {end - p >= 10 ? walk_end::corrupt : walk_end::incomplete, at, 0};
    tag &= 0xffff'ffffu;  // as protobuf's readers have it
    if (tag < 8 || (only_packets && tag != packet_tag)) return {walk_end::corrupt, at, 0};
    switch (tag & 7u) {
      case 0: {
        const std::byte* const v = read_varint(q, end, length);
        if (v == nullptr) return {end - q >= 10 ? walk_end::corrupt : walk_end::incomplete, at, 0};
        p = v;
        continue;
      }
      case 1:
        length = 8;
        break;
      case 5:
        length = 4;
        break;
      case 2: {
        const std::byte* const v = read_varint(q, end, length);
        if (v == nullptr) return {end - q >= 10 ? walk_end::corrupt : walk_end::incomplete, at, 0};
        q = v;
        break;
      }
      default:
        return {walk_end::corrupt, at, 0};
    }
    if (tag == packet_tag && length > max_packet) return {walk_end::too_large, at, 0};
    auto const left = static_cast<std::size_t>(end - q);
    if (length > left) {
      auto const header = static_cast<std::size_t>(q - p);
      return {walk_end::incomplete, at,
              length > SIZE_MAX - header ? SIZE_MAX : header + static_cast<std::size_t>(length)};
    }
    if (tag == packet_tag && !on_packet(byte_span{q, static_cast<std::size_t>(length)}, at))
      return {walk_end::stopped, at, 0};
    p = q + length;
  }
  return {walk_end::all, data.size(), 0};
}

}  // namespace profile_relay::perfetto_decode
