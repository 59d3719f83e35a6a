#pragma once

#include "perfetto_decode/wire_reader.hpp"

namespace profile_relay::perfetto_decode {

/// True when decoding `trace` inflates something: a compressed file, or packed packets anywhere in it. Then its
/// size says nothing about the work it makes. What cannot be inflated (it does not begin as such streams do), or
/// lies behind damage, does not count. Costs a look at the bytes, and a second one at the fields of packets where
/// that is not enough.
bool holds_packed(byte_span trace);

}  // namespace profile_relay::perfetto_decode
