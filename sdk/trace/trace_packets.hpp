// The packets of a trace that hold no interned data, each appended to `out` (profiling API, 4).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "sdk/core/sample.hpp"

namespace profile_relay::sdk {

/// The one writer sequence of a trace.
inline constexpr std::uint32_t sequence_id = 1;
/// TracePacket.SequenceFlags.
inline constexpr std::uint32_t incremental_state_cleared = 1, needs_incremental_state = 2;

/// BOOTTIME, REALTIME and MONOTONIC read together; BOOTTIME is the trace's clock.
void add_clock_snapshot(std::string& out, clock_reading const& now);

/// Begins an interval of interned data, and says that samples are BOOTTIME and 101 a second of CPU clock.
void add_defaults(std::string& out, std::int64_t boottime_ns);

void add_process_track(std::string& out, std::int64_t boottime_ns, std::int32_t pid, std::string_view name);

/// A thread without a name yet has none in the packet.
void add_thread_track(std::string& out, std::int64_t boottime_ns, std::int32_t pid, std::int32_t tid,
                      std::string_view name);

/// `interned` is the encoded InternedData that is new with this sample; empty = none.
void add_sample(std::string& out, std::int64_t boottime_ns, std::int32_t pid, std::int32_t tid,
                std::uint64_t callstack_iid, std::string_view interned);

}  // namespace profile_relay::sdk
