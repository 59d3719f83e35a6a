#include "perfetto_decode/packed.hpp"

#include <cstring>

#include "perfetto_decode/container.hpp"
#include "perfetto_decode/inflate.hpp"
#include "proto/fields.hpp"

namespace profile_relay::perfetto_decode {
namespace {

namespace f = proto::fields::trace_packet;

constexpr std::uint32_t tag_of(std::uint32_t field) { return field << 3 | 2u; }
/// Tags of more than one byte begin with their lowest seven bits and a mark, however long they are written.
constexpr std::uint8_t first_byte_of(std::uint32_t field) {
  return static_cast<std::uint8_t>((tag_of(field) & 0x7fu) | 0x80u);
}
static_assert(tag_of(f::compressed_packets) > 0x7f && tag_of(f::zstd_compressed_packets) < 0x80 * 0x80);

std::uint8_t at(byte_span s, std::size_t i) { return static_cast<std::uint8_t>(s[i]); }

/// What zlib takes for the header of a zlib or gzip stream.
bool begins_zlib(byte_span s) {
  if (s.size() < 2) return false;
  unsigned const both = at(s, 0) * 256u + at(s, 1);
  return both == 0x1f8b || (both % 31 == 0 && (at(s, 0) & 0x0fu) == 8);
}

/// Frames of every version share the last three bytes of their mark, frames to be skipped share theirs.
bool begins_zstd(byte_span s) {
  if (s.size() < 4) return false;
  unsigned const last = at(s, 1) * 0x10000u + at(s, 2) * 0x100u + at(s, 3);
  return last == 0xb52ffd || last == 0x2a4d18;
}

/// False when no bytes of `trace` look like this field with such content, wherever they stand.
bool may_hold(byte_span trace, std::uint32_t field, bool (*begins)(byte_span)) {
  const std::byte* const end = trace.data() + trace.size();
  for (const std::byte* p = trace.data(); p != end; ++p) {
    p = static_cast<const std::byte*>(
        std::memchr(p, first_byte_of(field), static_cast<std::size_t>(end - p)));
    if (p == nullptr) return false;
    // Most are told apart by the next byte.
    if (end - p < 2 || (static_cast<std::uint8_t>(p[1]) & 0x7fu) != tag_of(field) >> 7) continue;
    std::uint64_t tag = 0, length = 0;
    const std::byte* q = read_varint(p, end, tag);
    if (q == nullptr || static_cast<std::uint32_t>(tag) != tag_of(field)) continue;
    q = read_varint(q, end, length);
    if (q == nullptr || length > static_cast<std::uint64_t>(end - q)) continue;
    if (begins({q, static_cast<std::size_t>(length)})) return true;
  }
  return false;
}

bool some_packet_holds_a_bundle(byte_span trace) {
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

}  // namespace

bool holds_packed(byte_span trace) {
  if (packing_of_file(trace)) return true;
  // Reading each packet twice would cost a tenth of decoding. Few bytes look like a bundle that are none.
  bool const suspect = may_hold(trace, f::compressed_packets, begins_zlib) ||
                       may_hold(trace, f::zstd_compressed_packets, begins_zstd);
  return suspect && some_packet_holds_a_bundle(trace);
}

}  // namespace profile_relay::perfetto_decode
