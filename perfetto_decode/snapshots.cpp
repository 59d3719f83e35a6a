// The packets that tell how clocks go together.
#include <utility>

#include "perfetto_decode/sub_message.hpp"
#include "perfetto_decode/trace_decoder.hpp"
#include "proto/fields.hpp"

namespace profile_relay::perfetto_decode {
namespace {

/// Clocks of a ClockSnapshot message, and its primary clock.
std::uint32_t read_snapshot(byte_span message, budget_vector<clock_graph::reading>& readings) {
  namespace f = proto::fields::clock_snapshot;
  namespace c = proto::fields::clock_snapshot_clock;
  std::uint32_t primary = 0;
  readings.clear();
  wire_reader r(message);
  while (r.next()) {
    if (r.is_varint() && r.number() == f::primary_trace_clock)
      primary = static_cast<std::uint32_t>(r.value());
    if (!r.is_bytes() || r.number() != f::clocks) continue;
    clock_graph::reading one;
    wire_reader clock(r.bytes());
    while (clock.next()) {
      if (!clock.is_varint()) continue;
      switch (clock.number()) {
        case c::clock_id:
          one.clock_id = static_cast<std::uint32_t>(clock.value());
          break;
        case c::timestamp:
          one.timestamp = clock.value();
          break;
        case c::is_incremental:
          one.incremental = clock.value() != 0;
          break;
        case c::unit_multiplier_ns:
          one.unit = clock.value();
          break;
        default:
          break;
      }
    }
    readings.push_back(one);
  }
  return primary;
}

}  // namespace

void trace_decoder::on_clock_snapshot(packet_view const& p) {
  auto const primary = read_snapshot(p.clock_snapshot.bytes(), readings_);
  host_default_known_ = false;
  out_.has_clock_snapshot = true;
  if (!clocks_.add_snapshot({p.machine_id, p.sequence_id, primary}, readings_))
    out_.counts.add(counter::invalid_clock_snapshots);
}

void trace_decoder::on_remote_clock_sync(packet_view const& p) {
  // Each round holds what client and host read at nearly the same time. A round trip needs two rounds less
  // than 30 s apart; the offset of a clock is the mean over all round trips (two estimates each).
  namespace f = proto::fields::remote_clock_sync;
  namespace s = proto::fields::remote_clock_sync_synced_clocks;
  constexpr std::uint32_t boottime = 6;
  constexpr std::uint64_t round_ns = 30'000'000'000;
  struct pair {
    std::uint64_t host = 0, client = 0;
  };
  struct offset {
    std::uint64_t sum = 0;
    std::int64_t count = 0, anchor = 0;  // the last reading of the host
  };
  auto half = [](std::uint64_t v) { return static_cast<std::uint64_t>(static_cast<std::int64_t>(v) / 2); };
  using round = budget_map<std::uint32_t, pair>;
  round before(working_), now(working_);
  budget_map<std::uint32_t, offset> offsets(working_);
  wire_reader r(p.remote_clock_sync.bytes());
  for (bool first = true; r.next();) {
    if (!r.is_bytes() || r.number() != f::synced_clocks) continue;
    before.swap(now);
    now.clear();
    read_snapshot(sub_message(r.bytes(), s::host_clocks), readings_);
    for (auto const& c : readings_) {
      now[c.clock_id].host = c.timestamp;
      if (c.timestamp != 0) offsets[c.clock_id].anchor = static_cast<std::int64_t>(c.timestamp);
    }
    read_snapshot(sub_message(r.bytes(), s::client_clocks), readings_);
    for (auto& c : readings_) {
      now[c.clock_id].client = c.timestamp;
      c.unit = 1;
      c.incremental = false;
    }
    if (!readings_.empty() && !clocks_.add_snapshot({p.machine_id, 0, 0}, readings_))
      out_.counts.add(counter::invalid_clock_snapshots);
    if (std::exchange(first, false) || now[boottime].client - before[boottime].client >= round_ns) continue;
    for (auto const& [id, one] : before) {
      auto const it = now.find(id);
      if (it == now.end()) continue;
      auto const& two = it->second;
      if (one.host == 0 || one.client == 0 || two.host == 0 || two.client == 0) continue;
      auto& m = offsets[id];
      m.sum += half(one.client + two.client) - one.host;
      m.sum += two.client - half(one.host + two.host);
      m.count += 2;
    }
  }
  host_default_known_ = false;
  for (auto const& [id, m] : offsets)
    if (m.count != 0)
      clocks_.add_bridge(p.machine_id, id, m.anchor, static_cast<std::int64_t>(m.sum) / m.count);
}

}  // namespace profile_relay::perfetto_decode
