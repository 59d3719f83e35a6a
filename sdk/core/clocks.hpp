// Reading the system's clocks for a snapshot.
#pragma once

#include "sdk/core/sample.hpp"

namespace profile_relay::sdk {

/// Reads the three clocks of a snapshot one right after the other. Async-signal-safe.
[[nodiscard]] clock_reading read_clocks();

/// CLOCK_BOOTTIME in ns, the clock of every sample. Async-signal-safe.
[[nodiscard]] std::int64_t boottime_ns();

}  // namespace profile_relay::sdk
