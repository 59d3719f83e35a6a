#include "perfetto_decode/clock_graph.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <vector>

namespace profile_relay::perfetto_decode {
namespace {

constexpr std::uint32_t realtime = 1, boottime = 6, trace_file = 11;
constexpr std::uint8_t max_hops = 4;

__extension__ using wide = __int128;
constexpr wide lowest = std::numeric_limits<std::int64_t>::min(),
               highest = std::numeric_limits<std::int64_t>::max();

// Clock arithmetic saturates: hostile readings may neither wrap nor be undefined behaviour.
std::int64_t saturated(wide v) { return static_cast<std::int64_t>(std::clamp(v, lowest, highest)); }
std::int64_t scale(std::uint64_t v, std::uint64_t unit) {
  auto const product = static_cast<wide>(static_cast<std::int64_t>(v)) * static_cast<std::int64_t>(unit);
  return saturated(product);
}
/// `value` moved by the difference of a snapshot's two readings.
std::int64_t moved(std::int64_t value, std::int64_t from, std::int64_t to) {
  return saturated(static_cast<wide>(value) - from + to);
}

}  // namespace

clock_graph::clock_graph(memory_budget& working)
    : working_(&working),
      index_(working),
      clocks_(working),
      entries_(working),
      snapshots_(working),
      labels_(working),
      default_clocks_(working),
      bridged_(working),
      uses_(working),
      to_trace_(working),
      to_wall_(working),
      wall_readings_(working) {}

clock_graph::node clock_graph::node_of(std::uint32_t machine, std::uint32_t sequence,
                                       std::uint32_t clock_id) {
  bool const scoped = is_sequence_clock(clock_id);
  if (scoped && sequence == 0) return no_node;
  key const k{machine, scoped ? sequence : 0, clock_id};
  auto it = index_.find(k);
  if (it != index_.end()) return it->second;
  auto const n = static_cast<node>(clocks_.size());
  clocks_.push_back({.id = k});
  index_.emplace(k, n);
  return n;
}

clock_graph::node clock_graph::default_clock(std::uint32_t machine) const {
  auto it = default_clocks_.find(machine);
  if (it == default_clocks_.end()) return no_node;
  auto at = index_.find(key{machine, 0, it->second});
  return at == index_.end() ? no_node : at->second;
}

void clock_graph::adopt_default(std::uint32_t machine) {
  auto it = default_clocks_.find(0);
  if (it == default_clocks_.end() || default_clocks_.contains(machine)) return;
  auto const id = it->second;
  (void)node_of(machine, 0, id);
  default_clocks_.emplace(machine, id);
}

std::int64_t clock_graph::step(node n, std::uint64_t timestamp) {
  auto& c = clocks_[n];
  if (!c.incremental) return static_cast<std::int64_t>(timestamp);
  c.running = saturated(static_cast<wide>(c.running) + scale(timestamp, c.unit));
  return c.running;
}

bool clock_graph::valid(budget_vector<entry>& entries, std::span<const reading> readings, label const& nodes,
                        label& not_monotonic) const {
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    auto const& r = readings[i];
    auto const& c = clocks_[nodes[i]];
    std::uint64_t const unit = r.unit == 0 ? 1 : r.unit;
    if (r.incremental && !is_sequence_clock(r.clock_id)) return false;
    if (c.unit != 0 && (c.unit != unit || c.incremental != r.incremental)) return false;
    if (trace_clock_key_ && c.id == *trace_clock_key_ && unit != 1) return false;
    entries.push_back({nodes[i], scale(r.timestamp, unit)});
  }
  std::sort(entries.begin(), entries.end(), [](entry const& a, entry const& b) { return a.clock < b.clock; });
  label clocks(*working_);
  clocks.reserve(entries.size());
  for (auto const& e : entries) {
    if (!clocks.empty() && clocks.back() == e.clock) return false;  // listed twice
    clocks.push_back(e.clock);
  }
  // Going backwards is judged among snapshots of the same clock list: two producers' snapshots may
  // interleave.
  auto it = labels_.find(clocks);
  if (it == labels_.end()) return true;
  snapshot const& last = snapshots_[it->second];
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (entries[i].value >= entries_[last.first + i].value) continue;
    if (trace_clock_key_ && clocks_[entries[i].clock].id == *trace_clock_key_) return false;
    not_monotonic.push_back(entries[i].clock);
  }
  return true;
}

bool clock_graph::add_snapshot(snapshot_source const& source, std::span<const reading> readings) {
  auto set_default = [&](std::uint32_t id) {
    if (node_of(source.machine, 0, id) == no_node) return;
    default_clocks_[source.machine] = id;
    if (!trace_clock_key_) trace_clock_key_ = key{source.machine, 0, id};
  };
  bool has_boottime = false, has_trace_file = false;
  for (auto const& r : readings) {
    has_boottime |= r.clock_id == boottime;
    has_trace_file |= r.clock_id == trace_file;
  }
  // The primary clock counts even when the readings contradict an earlier snapshot.
  if (source.primary != 0)
    set_default(source.primary);
  else if (has_boottime && !has_trace_file)
    set_default(boottime);

  label nodes(*working_);
  nodes.reserve(readings.size());
  for (auto const& r : readings) {
    node const n = node_of(source.machine, source.sequence, r.clock_id);
    if (n == no_node) return false;
    nodes.push_back(n);
  }
  budget_vector<entry> entries(*working_);
  entries.reserve(readings.size());
  label not_monotonic(*working_);
  if (!valid(entries, readings, nodes, not_monotonic)) return false;

  for (std::size_t i = 0; i < nodes.size(); ++i) {
    auto& c = clocks_[nodes[i]];
    auto const& r = readings[i];
    c.unit = r.unit == 0 ? 1 : r.unit;
    c.incremental = r.incremental;
    if (c.incremental) c.running = scale(r.timestamp, c.unit);
  }
  for (node n : not_monotonic) clocks_[n].source_ok = false;
  snapshot const s{static_cast<std::uint32_t>(entries_.size()), static_cast<std::uint32_t>(entries.size())};
  entries_.insert(entries_.end(), entries.begin(), entries.end());
  label clocks(*working_);
  clocks.reserve(entries.size());
  for (auto const& e : entries) clocks.push_back(e.clock);
  auto const at = static_cast<std::uint32_t>(snapshots_.size());
  snapshots_.push_back(s);
  labels_.insert_or_assign(std::move(clocks), at);
  return true;
}

bool clock_graph::link(node a, std::int64_t at_a, node b, std::int64_t at_b) {
  if (a == no_node || b == no_node || a == b) return false;
  entry x{a, at_a}, y{b, at_b};
  if (y.clock < x.clock) std::swap(x, y);
  snapshots_.push_back({static_cast<std::uint32_t>(entries_.size()), 2, true});
  entries_.push_back(x);
  entries_.push_back(y);
  for (node n : {a, b})
    if (clocks_[n].unit == 0) clocks_[n].unit = 1;
  return true;
}

void clock_graph::add_bridge(std::uint32_t machine, std::uint32_t clock_id, std::int64_t host_reading,
                             std::int64_t offset) {
  if (link(node_of(0, 0, clock_id), host_reading, node_of(machine, 0, clock_id),
           saturated(static_cast<wide>(host_reading) + offset)))
    bridged_.push_back(machine);
}

void clock_graph::bridge_machines(std::uint32_t host) {
  // Machines without a remote clock sync: by REALTIME where both sides read it, else taken as aligned, which for
  // trace_processor means that the machine's BOOTTIME is trace time. One link only: two would make a way between clocks
  // of the host that is none.
  budget_map<std::uint32_t, bool> has_realtime(*working_);
  for (auto const& c : clocks_)
    has_realtime[c.id.machine] |= c.id.sequence == 0 && c.id.clock_id == realtime && c.unit != 0;
  std::sort(bridged_.begin(), bridged_.end());
  for (auto const& [machine, reads] : has_realtime) {
    if (machine == host || std::binary_search(bridged_.begin(), bridged_.end(), machine)) continue;
    if (reads && has_realtime[host]) {
      link(node_of(host, 0, realtime), 0, node_of(machine, 0, realtime), 0);
    } else {
      auto const t = trace_clock_key_;
      auto const ours = t && t->machine == host ? *t : key{host, 0, boottime};
      link(node_of(ours.machine, 0, ours.clock_id), 0, node_of(machine, 0, boottime), 0);
    }
  }
}

void clock_graph::finish(std::uint32_t host, counters& counts) {
  bridge_machines(host);
  for (auto const& e : entries_) ++clocks_[e.clock].use_count;
  std::uint32_t at = 0;
  for (auto& c : clocks_) {
    c.first_use = at;
    at += c.use_count;
    c.use_count = 0;
  }
  uses_.resize(at);
  for (std::uint32_t s = 0; s < snapshots_.size(); ++s)
    for (std::uint32_t i = 0; i < snapshots_[s].count; ++i) {
      auto& c = clocks_[entries_[snapshots_[s].first + i].clock];
      uses_[c.first_use + c.use_count++] = s;
    }

  auto find = [&](key const& k) {
    auto it = index_.find(k);
    return it == index_.end() ? no_node : it->second;
  };
  trace_clock_ = find(trace_clock_key_.value_or(key{host, 0, boottime}));
  wall_clock_ = find(key{host, 0, realtime});
  if (wall_clock_ != no_node && clocks_[wall_clock_].unit == 0) wall_clock_ = no_node;
  if (trace_clock_ != no_node) find_paths(trace_clock_, to_trace_);
  collect_wall_readings(counts);
}

void clock_graph::find_paths(node target, path& to) const {
  // Breadth first from the target, against the direction of conversion: one pass serves every source clock.
  to.clear();
  to.reserve(clocks_.size());
  for (std::size_t i = 0; i < clocks_.size(); ++i)
    to.emplace_back().readings = decltype(hop::readings)(*working_);
  to[target].depth = 0;
  label queue(*working_);
  queue.reserve(clocks_.size());
  queue.push_back(target);
  budget_vector<char> expanded(snapshots_.size(), 0, *working_);
  for (std::size_t head = 0; head < queue.size(); ++head) {
    node const b = queue[head];
    if (to[b].depth == max_hops) break;
    for (std::uint32_t u = 0; u < clocks_[b].use_count; ++u) {
      auto const s = uses_[clocks_[b].first_use + u];
      if (expanded[s] != 0) continue;
      expanded[s] = 1;
      for (std::uint32_t i = 0; i < snapshots_[s].count; ++i) {
        node const a = entries_[snapshots_[s].first + i].clock;
        if (to[a].depth != 0xff || !clocks_[a].source_ok) continue;
        to[a].next = b;
        to[a].depth = static_cast<std::uint8_t>(to[b].depth + 1);
        queue.push_back(a);
      }
    }
  }
}

clock_graph::entry const* clock_graph::entry_of(snapshot const& s, node n) const {
  auto const first = entries_.begin() + s.first;
  auto const it =
      std::lower_bound(first, first + s.count, n, [](entry const& e, node x) { return e.clock < x; });
  return it != first + s.count && it->clock == n ? &*it : nullptr;
}

void clock_graph::build_hop(node from, hop& h) const {
  auto const& c = clocks_[from];
  for (std::uint32_t u = 0; u < c.use_count; ++u) {
    auto const& s = snapshots_[uses_[c.first_use + u]];
    if (auto const* target = entry_of(s, h.next))
      h.readings.emplace_back(entry_of(s, from)->value, target->value);
  }
  std::stable_sort(h.readings.begin(), h.readings.end(),
                   [](auto const& x, auto const& y) { return x.first < y.first; });
  h.built = true;
}

std::optional<std::int64_t> clock_graph::convert(path& to, node target, node n, std::int64_t value,
                                                 segment* where) const {
  node const source = n;
  wide const start = value;
  wide first = lowest, last = highest;
  while (n != target) {
    hop& h = to[n];
    if (h.next == no_node) return std::nullopt;
    if (!h.built) build_hop(n, h);
    auto const& r = h.readings;
    std::size_t at = h.last;
    bool const near = r[at].first <= value && (at + 1 == r.size() || value < r[at + 1].first);
    if (!near) {
      auto const it =
          std::upper_bound(r.begin(), r.end(), value, [](auto v, auto const& x) { return v < x.first; });
      at = it == r.begin() ? 0 : static_cast<std::size_t>(it - r.begin()) - 1;
      h.last = static_cast<std::uint32_t>(at);
    }
    // Which values of the source clock take the same way: this hop's bounds, seen from there.
    wide const so_far = value - start;
    if (at != 0) first = std::max(first, r[at].first - so_far);
    if (at + 1 < r.size()) last = std::min(last, r[at + 1].first - 1 - so_far);
    value = moved(value, r[at].first, r[at].second);
    n = h.next;
  }
  wide const offset = value - start;
  bool const exact = value != lowest && value != highest && offset >= lowest && offset <= highest;
  if (where != nullptr && exact)
    *where = {source, saturated(std::max(first, lowest - std::min<wide>(offset, 0))),
              saturated(std::min(last, highest - std::max<wide>(offset, 0))),
              static_cast<std::int64_t>(offset)};
  return value;
}

std::int64_t clock_graph::in_ns(node n, std::int64_t raw) const {
  auto const& c = clocks_[n];
  return c.incremental || c.unit <= 1 ? raw : scale(static_cast<std::uint64_t>(raw), c.unit);
}

std::optional<std::int64_t> clock_graph::look_up_trace(node n, std::int64_t raw, counter& failure) {
  if (n == trace_clock_) return raw;
  if (clocks_[n].unit == 0) {
    failure = counter::clock_sync_failure_unknown_source_clock;
    return std::nullopt;
  }
  if (trace_clock_ == no_node || clocks_[trace_clock_].unit == 0) {
    failure = counter::clock_sync_failure_unknown_target_clock;
    return std::nullopt;
  }
  failure = counter::clock_sync_failure_no_path;
  bool const plain = clocks_[n].incremental || clocks_[n].unit <= 1;
  return convert(to_trace_, trace_clock_, n, in_ns(n, raw), plain ? &segment_ : nullptr);
}

std::optional<std::int64_t> clock_graph::straight_to_wall(node n, std::int64_t raw) {
  if (wall_clock_ == no_node || n == no_node || clocks_[n].unit == 0) return std::nullopt;
  if (to_wall_.empty()) find_paths(wall_clock_, to_wall_);
  return convert(to_wall_, wall_clock_, n, in_ns(n, raw));
}

void clock_graph::collect_wall_readings(counters& counts) {
  if (wall_clock_ == no_node || trace_clock_ == no_node) return;
  auto const& c = clocks_[wall_clock_];
  for (std::uint32_t u = 0; u < c.use_count; ++u) {
    auto const& s = snapshots_[uses_[c.first_use + u]];
    if (s.bridge) continue;
    auto const wall = entry_of(s, wall_clock_)->value;
    std::optional<std::int64_t> at;
    if (auto const* direct = entry_of(s, trace_clock_)) {
      at = direct->value;
    } else {
      // As trace_processor does: the reading of REALTIME is itself converted; by another clock of the snapshot only where
      // REALTIME was set back and so leads nowhere.
      if (clocks_[wall_clock_].source_ok) at = convert(to_trace_, trace_clock_, wall_clock_, wall);
      for (std::uint32_t i = 0; i < s.count && !at; ++i) {
        auto const& e = entries_[s.first + i];
        if (e.clock != wall_clock_) at = convert(to_trace_, trace_clock_, e.clock, e.value);
      }
    }
    if (at) wall_readings_.emplace_back(*at, wall);
  }
  std::stable_sort(wall_readings_.begin(), wall_readings_.end(),
                   [](auto const& x, auto const& y) { return x.first < y.first; });
  for (std::size_t i = 1; i < wall_readings_.size(); ++i) {
    auto const back = saturated(static_cast<wide>(wall_readings_[i - 1].second) - wall_readings_[i].second);
    if (wall_readings_[i].second >= wall_readings_[i - 1].second) continue;
    counts.add(counter::realtime_step_back);
    counts.realtime_step_back_ns = std::max(counts.realtime_step_back_ns, back);
  }
}

std::optional<std::int64_t> clock_graph::look_up_wall(std::int64_t t) {
  auto const& r = wall_readings_;
  if (r.empty()) return std::nullopt;
  auto const it = std::upper_bound(r.begin(), r.end(), t, [](auto v, auto const& x) { return v < x.first; });
  auto const& from = it == r.begin() ? r.front() : *(it - 1);
  auto const wall = moved(t, from.first, from.second);
  // Before a backward step of REALTIME, time may not overtake the reading that follows.
  bool const bounded = it != r.begin() && it != r.end();
  if (bounded && wall > it->second) return it->second;
  // Up to the next reading, and no further than it says, adding one number is all there is to it.
  wide const offset = static_cast<wide>(from.second) - from.first;
  wide const first = it == r.begin() ? lowest : from.first;
  wide last = it == r.end() ? highest : it->first - static_cast<wide>(1);
  if (bounded) last = std::min(last, it->second - offset);
  if (offset >= lowest && offset <= highest)
    wall_segment_ = {wall_clock_, saturated(std::max(first, lowest - std::min<wide>(offset, 0))),
                     saturated(std::min(last, highest - std::max<wide>(offset, 0))),
                     static_cast<std::int64_t>(offset)};
  return wall;
}

}  // namespace profile_relay::perfetto_decode
