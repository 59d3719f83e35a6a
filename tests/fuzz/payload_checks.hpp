#pragma once

#include <cstdint>
#include <string>

namespace profile_relay::fuzz {

/// What a payload was made from. Threads are listed in order of their first sample before sorting, and a
/// converted trace has times finer than a double: reading a payload and writing it gives the same up to that.
enum class made_from : std::uint8_t { json, trace };

/// A payload that we wrote: valid JSON, indices in range, times in order, two non-idle samples for each thread. Then it
/// is given back as a plain JSON chunk: it must be accepted, and from then on the text stays as it is.
void check_payload(std::string const& payload, made_from origin);

}  // namespace profile_relay::fuzz
