#pragma once

#include <cstdint>

namespace profile_relay::perfetto_decode {

/// A time as a packet gives it, to be converted when every clock snapshot is known.
struct time_ref {
  static constexpr std::uint32_t trace_time = 0xffff'ffff;  ///< `raw` is trace time as it stands
  static constexpr std::uint32_t missing =
      0xffff'fffe;  ///< the greatest time so far; `raw` says how far that is
  static constexpr std::uint32_t unknown =
      0xffff'fffd;  ///< a clock that cannot exist (sequence clock, no sequence)
  static constexpr std::uint32_t from_base = 0x8000'0000;  ///< + index of a base; `raw` is ns after it

  std::uint32_t clock = trace_time;  ///< one of the above, or a clock_graph node
  std::int64_t raw = 0;

  bool is_from_base() const { return clock >= from_base && clock < unknown; }
};

}  // namespace profile_relay::perfetto_decode
