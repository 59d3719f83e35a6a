#pragma once

#include "perfetto_decode/wire_reader.hpp"

namespace profile_relay::perfetto_decode {

/// True when decoding `trace` inflates something: a compressed file, or packed packets anywhere in it. Then its size says
/// nothing about the work it makes. Reads the fields of each packet, one level deep; what lies behind damage does not count,
/// as it is not decoded either.
bool holds_packed(byte_span trace);

}  // namespace profile_relay::perfetto_decode
