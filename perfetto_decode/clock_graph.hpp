#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>

#include "perfetto_decode/budget.hpp"
#include "perfetto_decode/counters.hpp"

namespace profile_relay::perfetto_decode {

/// Clocks of a trace, and how to get from any of them to trace time and to wall time.
///
/// A *node* is one clock: a builtin or user clock of a machine, or a clock scoped to one sequence. A
/// *snapshot* says what several clocks read at the same instant, and so links every pair of them. While
/// packets stream by, snapshots are only collected; after `finish` a conversion takes the path with the
/// fewest hops (at most four), and each hop takes, of all snapshots that hold both clocks, the latest whose
/// source reading is not after the time to convert:
///
///   snapshot A {BOOTTIME 1.0  MONOTONIC 0.4  REALTIME R+0}        MONOTONIC 0.55 -> A: 0.55 - 0.4 + 1.0 =
///   BOOTTIME 1.15 snapshot C {BOOTTIME 9.0  MONOTONIC 0.6  REALTIME R+8}        MONOTONIC 0.61 -> C: 0.61 -
///   0.6 + 9.0 = BOOTTIME 9.01 (between them the device slept for 7.8 s: MONOTONIC stood still)
///
/// Source: perfetto-decoding 5. Cost: adding is O(entries log entries) of the snapshot; `finish` is linear in
/// all entries (times log for sorting); a conversion is O(hops x log snapshots), and O(hops) for times near
/// the last one converted.
class clock_graph {
 public:
  using node = std::uint32_t;
  static constexpr node no_node = 0xffff'ffff;

  struct reading {
    std::uint32_t clock_id = 0;
    std::uint64_t timestamp = 0;
    std::uint64_t unit = 1;  ///< ns; 0 counts as 1
    bool incremental = false;
  };
  struct snapshot_source {
    std::uint32_t machine = 0;
    std::uint32_t sequence = 0;  ///< 0 = none
    std::uint32_t primary = 0;   ///< 0 = not given
  };

  /// Everything it keeps is charged to `working` (budget_refused).
  explicit clock_graph(memory_budget& working);

  static constexpr bool is_sequence_clock(std::uint32_t id) { return id >= 64 && id < 128; }

  /// The node of a packet's clock id, made if need be. no_node for a sequence clock without a sequence.
  node node_of(std::uint32_t machine, std::uint32_t sequence, std::uint32_t clock_id);

  /// The clock of packets that name none (5.1): no_node = the number is trace time as it stands.
  node default_clock(std::uint32_t machine) const;
  /// A machine seen for the first time starts with the host's default clock.
  void adopt_default(std::uint32_t machine);

  /// One step of a packet's clock: returns the reading in the clock's unit, or for an incremental clock the
  /// advanced running value in ns (5.2). Call once for each packet that reaches timestamp resolution, in file
  /// order.
  std::int64_t step(node n, std::uint64_t timestamp);

  /// False when it is invalid (5.3) and ignored; its primary clock counts all the same.
  bool add_snapshot(snapshot_source const& source, std::span<const reading> readings);
  bool add_snapshot(snapshot_source const& source, std::initializer_list<reading> readings) {
    return add_snapshot(source, std::span(readings.begin(), readings.size()));
  }
  /// Links the same builtin clock of the host and of another machine: offset = client - host.
  void add_bridge(std::uint32_t machine, std::uint32_t clock_id, std::int64_t host_reading,
                  std::int64_t offset);

  /// Collects everything for conversions. `host` is the machine whose clocks are the trace's.
  void finish(std::uint32_t host, counters& counts);

  /// Valid after `finish`. Absent: no path; `failure` says which of the three clock_sync_failure counters it
  /// is.
  std::optional<std::int64_t> to_trace(node n, std::int64_t raw, counter& failure) {
    // Most samples fall between the same two snapshots as the one before.
    if (n == segment_.clock && raw >= segment_.first && raw <= segment_.last) return raw + segment_.offset;
    return look_up_trace(n, raw, failure);
  }
  /// Trace time to wall time (5.7). Absent without any reading of REALTIME.
  std::optional<std::int64_t> to_wall(std::int64_t trace_time) {
    auto const& s = wall_segment_;
    if (s.clock != no_node && trace_time >= s.first && trace_time <= s.last) return trace_time + s.offset;
    return look_up_wall(trace_time);
  }
  /// Straight to REALTIME, for clocks that cannot reach trace time.
  std::optional<std::int64_t> straight_to_wall(node n, std::int64_t raw);

 private:
  struct key {
    std::uint32_t machine, sequence, clock_id;
    auto operator<=>(key const&) const = default;
  };
  struct clock {
    key id{};
    std::uint64_t unit = 0;  // 0 = no snapshot has named it yet
    bool incremental = false;
    bool source_ok = true;
    std::int64_t running = 0;
    std::uint32_t first_use = 0, use_count = 0;  // into uses_, after finish
  };
  struct entry {
    node clock;
    std::int64_t value;  // ns
  };
  struct snapshot {
    std::uint32_t first, count;
    bool bridge = false;  // links two machines; its readings are not the trace's
  };
  struct hop {
    node next = no_node;
    std::uint8_t depth = 0xff;
    bool built = false;
    std::uint32_t last = 0;
    budget_vector<std::pair<std::int64_t, std::int64_t>> readings;  // (source, target), by source
  };
  using path = budget_vector<hop>;
  using label = budget_vector<node>;
  /// Where a conversion of one clock is adding one number: values from `first` to `last`.
  struct segment {
    node clock = no_node;
    std::int64_t first = 0, last = 0, offset = 0;
  };

  bool valid(budget_vector<entry>& entries, std::span<const reading> readings, label const& nodes,
             label& not_monotonic) const;
  std::optional<std::int64_t> look_up_trace(node n, std::int64_t raw, counter& failure);
  std::optional<std::int64_t> look_up_wall(std::int64_t trace_time);
  bool link(node a, std::int64_t at_a, node b, std::int64_t at_b);
  void find_paths(node target, path& to) const;
  void build_hop(node from, hop& h) const;
  std::optional<std::int64_t> convert(path& to, node target, node n, std::int64_t value,
                                      segment* where = nullptr) const;
  std::int64_t in_ns(node n, std::int64_t raw) const;
  void bridge_machines(std::uint32_t host);
  void collect_wall_readings(counters& counts);
  entry const* entry_of(snapshot const& s, node n) const;

  memory_budget* working_;
  budget_map<key, node> index_;
  budget_vector<clock> clocks_;
  budget_vector<entry> entries_;
  budget_vector<snapshot> snapshots_;
  budget_map<label, std::uint32_t> labels_;                  // clock list -> its latest snapshot
  budget_map<std::uint32_t, std::uint32_t> default_clocks_;  // machine -> clock id
  budget_vector<std::uint32_t> bridged_;                     // machines with a remote clock sync
  std::optional<key> trace_clock_key_;

  budget_vector<std::uint32_t> uses_;  // snapshots by clock
  node trace_clock_ = no_node;
  node wall_clock_ = no_node;
  path to_trace_, to_wall_;
  segment segment_, wall_segment_;
  budget_vector<std::pair<std::int64_t, std::int64_t>> wall_readings_;  // (trace time, REALTIME)
};

}  // namespace profile_relay::perfetto_decode
