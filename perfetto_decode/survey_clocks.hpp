#pragma once

#include <cstdint>
#include <map>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "perfetto_decode/packet.hpp"

namespace profile_relay::perfetto_decode {

/// One clock, and who uses it.
struct clock_row {
  std::uint32_t machine = 0;
  std::uint32_t sequence = 0;  ///< of clocks that are scoped to one (ids 64 to 127), else 0
  std::uint32_t id = 0;
  std::uint64_t readings = 0;              ///< in snapshots
  std::uint64_t first = 0, last = 0;       ///< the first and the last of them, in file order
  std::uint64_t packets = 0, samples = 0;  ///< stamped with it
  std::uint64_t earliest = 0, latest = 0;  ///< stamps, as they stand; meaningless without packets
};

struct snapshot_row {
  std::uint64_t offset = 0;
  std::uint32_t machine = 0, sequence = 0;
  std::uint32_t primary = 0;                                      ///< 0 = not given
  std::vector<std::pair<std::uint32_t, std::uint64_t>> readings;  ///< (clock id, reading)
};

/// Between two snapshots BOOTTIME ran on and MONOTONIC stood still, or REALTIME ran off from BOOTTIME.
struct clock_event {
  std::uint32_t machine = 0;
  std::int64_t from = 0, until = 0;  ///< BOOTTIME of the two snapshots
  std::int64_t by = 0;               ///< ns; of a step: negative = set back
};

struct clock_survey {
  std::vector<clock_row> clocks;
  std::uint64_t more_clocks = 0;
  std::vector<snapshot_row> snapshots;
  std::uint64_t snapshot_count = 0;
  std::vector<clock_event> suspends, realtime_steps;
  std::uint64_t suspend_count = 0, step_count = 0;
  std::uint64_t packets_without_clock = 0;  ///< stamped, but no snapshot so far: trace time as it stands
};

/// The name of a builtin clock, "" for others.
std::string_view clock_name(std::uint32_t id);

/// Collects what a trace says about its clocks. Every list is capped, the counts beside it are not.
class clock_collector {
 public:
  static constexpr std::size_t max_clocks = 1'024, max_snapshots = 4'096, max_readings = 32,
                               max_events = 4'096;

  void snapshot(packet_view const& p, std::uint64_t offset);
  /// A packet with a timestamp; `defaults_clock` is its sequence's.
  void stamp(packet_view const& p, std::uint32_t defaults_clock, std::uint64_t samples);

  /// What was collected, clocks by machine, sequence and id.
  clock_survey take();

 private:
  struct machine_state {
    std::uint32_t default_clock = 0;
    bool has_suspend_pair = false, has_step_pair = false;
    std::int64_t suspend_boottime = 0, suspend_monotonic = 0, step_boottime = 0, step_realtime = 0;
  };
  clock_row* row(std::uint32_t machine, std::uint32_t sequence, std::uint32_t id);
  machine_state* state_of(std::uint32_t machine);
  void compare(packet_view const& p, snapshot_row const& s);

  clock_survey out_;
  std::map<std::tuple<std::uint32_t, std::uint32_t, std::uint32_t>, std::size_t> index_;
  std::map<std::uint32_t, machine_state> machines_;
};

}  // namespace profile_relay::perfetto_decode
