#include "perfetto_decode/survey_clocks.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "proto/fields.hpp"

namespace profile_relay::perfetto_decode {
namespace {

constexpr std::uint32_t realtime = 1, monotonic = 3, boottime = 6, trace_file = 11;
constexpr std::int64_t noteworthy_ns = 1'000'000;
// Differences of readings below this fit their type; what is above is no time (73 years).
constexpr std::uint64_t no_time = std::uint64_t{1} << 61;

bool is_sequence_clock(std::uint32_t id) { return id >= 64 && id < 128; }

std::pair<std::uint32_t, std::uint64_t> read_clock(byte_span message) {
  namespace f = proto::fields::clock_snapshot_clock;
  std::pair<std::uint32_t, std::uint64_t> out{};
  wire_reader r(message);
  while (r.next()) {
    if (!r.is_varint()) continue;
    if (r.number() == f::clock_id) out.first = static_cast<std::uint32_t>(r.value());
    if (r.number() == f::timestamp) out.second = r.value();
  }
  return out;
}

std::optional<std::int64_t> reading_of(snapshot_row const& s, std::uint32_t id) {
  auto const at = std::ranges::find(s.readings, id, &std::pair<std::uint32_t, std::uint64_t>::first);
  if (at == s.readings.end() || at->second >= no_time) return std::nullopt;
  return static_cast<std::int64_t>(at->second);
}

void note(std::vector<clock_event>& list, std::uint64_t& count, clock_event const& e) {
  ++count;
  if (list.size() < clock_collector::max_events) list.push_back(e);
}

}  // namespace

std::string_view clock_name(std::uint32_t id) {
  constexpr std::array<std::string_view, 12> names{"",
                                                   "REALTIME",
                                                   "REALTIME_COARSE",
                                                   "MONOTONIC",
                                                   "MONOTONIC_COARSE",
                                                   "MONOTONIC_RAW",
                                                   "BOOTTIME",
                                                   "",
                                                   "",
                                                   "TSC",
                                                   "PERF",
                                                   "TRACE_FILE"};
  return id < names.size() ? names[id] : std::string_view{};
}

clock_row* clock_collector::row(std::uint32_t machine, std::uint32_t sequence, std::uint32_t id) {
  std::tuple const key{machine, is_sequence_clock(id) ? sequence : 0, id};
  auto const it = index_.find(key);
  if (it != index_.end()) return &out_.clocks[it->second];
  if (out_.clocks.size() == max_clocks) {
    ++out_.more_clocks;
    return nullptr;
  }
  index_.emplace(key, out_.clocks.size());
  auto& fresh = out_.clocks.emplace_back();
  std::tie(fresh.machine, fresh.sequence, fresh.id) = key;
  return &fresh;
}

clock_collector::machine_state* clock_collector::state_of(std::uint32_t machine) {
  auto const it = machines_.find(machine);
  if (it != machines_.end()) return &it->second;
  return machines_.size() == max_clocks ? nullptr : &machines_[machine];
}

void clock_collector::snapshot(packet_view const& p, std::uint64_t offset) {
  namespace f = proto::fields::clock_snapshot;
  snapshot_row s{offset, p.machine_id, p.sequence_id, 0, {}};
  bool has_boottime = false, has_trace_file = false;
  wire_reader r(p.clock_snapshot.bytes());
  while (r.next()) {
    if (r.is_varint() && r.number() == f::primary_trace_clock)
      s.primary = static_cast<std::uint32_t>(r.value());
    if (!r.is_bytes() || r.number() != f::clocks) continue;
    auto const one = read_clock(r.bytes());
    has_boottime |= one.first == boottime;
    has_trace_file |= one.first == trace_file;
    if (s.readings.size() < max_readings) s.readings.push_back(one);
    auto* const c = row(p.machine_id, p.sequence_id, one.first);
    if (c == nullptr) continue;
    if (c->readings++ == 0) c->first = one.second;
    c->last = one.second;
  }
  if (auto* const m = state_of(p.machine_id)) {
    if (s.primary != 0)
      m->default_clock = s.primary;
    else if (has_boottime && !has_trace_file)
      m->default_clock = boottime;
  }
  compare(p, s);
  if (out_.snapshot_count++ < max_snapshots) out_.snapshots.push_back(std::move(s));
}

void clock_collector::compare(packet_view const& p, snapshot_row const& s) {
  auto* const m = state_of(p.machine_id);
  auto const boot = reading_of(s, boottime), mono = reading_of(s, monotonic), wall = reading_of(s, realtime);
  if (m == nullptr || !boot) return;
  // A BOOTTIME that goes back belongs to another boot, or to a file that was appended: nothing to compare.
  if (mono) {
    auto const slept = (*boot - m->suspend_boottime) - (*mono - m->suspend_monotonic);
    if (m->has_suspend_pair && *boot >= m->suspend_boottime && slept > noteworthy_ns)
      note(out_.suspends, out_.suspend_count, {p.machine_id, m->suspend_boottime, *boot, slept});
    m->suspend_boottime = *boot;
    m->suspend_monotonic = *mono;
    m->has_suspend_pair = true;
  }
  if (wall) {
    auto const step = (*wall - m->step_realtime) - (*boot - m->step_boottime);
    if (m->has_step_pair && *boot >= m->step_boottime && (step > noteworthy_ns || step < -noteworthy_ns))
      note(out_.realtime_steps, out_.step_count, {p.machine_id, m->step_boottime, *boot, step});
    m->step_boottime = *boot;
    m->step_realtime = *wall;
    m->has_step_pair = true;
  }
}

void clock_collector::stamp(packet_view const& p, std::uint32_t defaults_clock, std::uint64_t samples) {
  auto id = p.clock_id != 0 ? p.clock_id : defaults_clock;
  if (id == 0) {
    auto const* const m = state_of(p.machine_id);
    id = m == nullptr ? 0 : m->default_clock;
  }
  if (id == 0) {
    ++out_.packets_without_clock;
    return;
  }
  auto* const c = row(p.machine_id, p.sequence_id, id);
  if (c == nullptr) return;
  c->earliest = c->packets == 0 ? p.timestamp : std::min(c->earliest, p.timestamp);
  c->latest = c->packets == 0 ? p.timestamp : std::max(c->latest, p.timestamp);
  ++c->packets;
  c->samples += samples;
}

clock_survey clock_collector::take() {
  std::ranges::sort(out_.clocks, {}, [](clock_row const& c) {
    return std::tuple{c.machine, c.sequence, c.id};
  });
  return std::move(out_);
}

}  // namespace profile_relay::perfetto_decode
