#pragma once

#include "perfetto_decode/wire_reader.hpp"

namespace profile_relay::perfetto_decode {

/// A sub-message of a message; of a field that stands twice the last counts. Null when it is absent.
inline byte_span sub_message(byte_span message, std::uint32_t field) {
  byte_span found;
  wire_reader r(message);
  while (r.next())
    if (r.number() == field && r.is_bytes()) found = r.bytes();
  return found;
}

}  // namespace profile_relay::perfetto_decode
