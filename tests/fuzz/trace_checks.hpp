#pragma once

#include "perfetto_decode/decoded_trace.hpp"

namespace profile_relay::fuzz {

/// The limits that one byte of the input chooses: 0 leaves them wide; the low three bits pick one to shrink, the high
/// ones how far. So every limit is met and, more often, none.
perfetto_decode::limits limits_of(std::byte choice);

/// What decoded_trace promises: indices in range, samples in order, counts below the limits. Looks at every string.
void check_decoded(perfetto_decode::decoded_trace const& t, perfetto_decode::limits const& lim);

}  // namespace profile_relay::fuzz
