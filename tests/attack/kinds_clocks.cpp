// Clocks and their snapshots.
#include <vector>

#include "kinds.hpp"
#include "proto/fields.hpp"
#include "recorder.hpp"

namespace attack {
namespace {

namespace fields = profile_relay::proto::fields;
namespace tp = fields::trace_packet;
namespace cs = fields::clock_snapshot;

constexpr std::uint32_t boottime = 6, first_global = 128;

message reading(std::uint64_t clock, std::uint64_t at, bool incremental = false) {
  namespace c = fields::clock_snapshot_clock;
  message m;
  m.num(c::clock_id, clock).num(c::timestamp, at);
  if (incremental) m.num(c::is_incremental, 1);
  return m;
}

message snapshot_packet(message const& snapshot) { return message().sub(tp::clock_snapshot, snapshot); }

/// A recorder with one callstack to sample.
recorder begun(std::uint32_t sequence = 1) {
  recorder r(sequence);
  std::uint64_t const one[] = {1};
  r.clear().function(1, "f").frame(1, 1).callstack(1, one);
  return r;
}

message sample_at(std::uint64_t clock, std::uint64_t at) {
  return message()
      .num(tp::timestamp, at)
      .num(tp::timestamp_clock_id, clock)
      .sub(tp::perf_sample,
           message().num(fields::perf_sample::tid, 1).num(fields::perf_sample::callstack_iid, 1));
}

std::string different_sets(std::size_t n) {
  // Every snapshot has a set of its own; a sample in each of their clocks.
  std::string out = clock_snapshot();
  auto r = begun();
  for (std::size_t i = 0; i < n; ++i) {
    message s;
    for (auto const c : {first_global + i, first_global + i + 1, first_global + i + 3})
      s.sub(cs::clocks, reading(c, 1'000 + i));
    out += entry(snapshot_packet(s.sub(cs::clocks, reading(boottime, 1'000 + i))));
    r.packet(sample_at(first_global + i, 2'000 + i));
  }
  return out + r.take();
}

std::string growing_sets(std::size_t n) {
  // Sets that are long and begin alike: telling them apart must not cost their length times their number.
  std::string out = clock_snapshot();
  std::size_t const width = 50;
  for (std::size_t i = 0; i < n / width; ++i) {
    message s;
    for (std::size_t c = 0; c < width; ++c) s.sub(cs::clocks, reading(first_global + c, 1'000 + i));
    out += entry(snapshot_packet(s.sub(cs::clocks, reading(first_global + width + i, 1))));
  }
  return out;
}

std::string same_set(std::size_t n) {
  // Samples that jump between all snapshots.
  std::string out;
  for (std::size_t i = 0; i < n; ++i)
    out += entry(snapshot_packet(message()
                                     .sub(cs::clocks, reading(boottime, 1'000 + 1'000 * i))
                                     .sub(cs::clocks, reading(3, 500 + 1'000 * i))
                                     .sub(cs::clocks, reading(1, 1'790'000'000'000'000'000 + 1'000 * i))));
  auto r = begun();
  for (std::size_t i = 0; i < n; ++i) r.packet(sample_at(3, 500 + 1'000 * (i * 7'919 % n)));
  return out + r.take();
}

std::string pairwise(std::size_t n) {
  // A chain that is far longer than any conversion may be.
  std::string out = clock_snapshot();
  out += entry(snapshot_packet(
      message().sub(cs::clocks, reading(boottime, 2'000)).sub(cs::clocks, reading(first_global, 2'000))));
  auto r = begun();
  for (std::size_t i = 0; i < n; ++i) {
    out += entry(snapshot_packet(message()
                                     .sub(cs::clocks, reading(first_global + i, 3'000))
                                     .sub(cs::clocks, reading(first_global + i + 1, 3'000))));
    r.packet(sample_at(first_global + i, 4'000));
  }
  return out + r.take();
}

std::string one_snapshot(std::size_t n) {
  message s;
  s.sub(cs::clocks, reading(boottime, 2'000));
  auto r = begun();
  for (std::size_t i = 0; i < n; ++i) {
    s.sub(cs::clocks, reading(first_global + i, 1'000));
    r.packet(sample_at(first_global + i, 4'000 + i));
  }
  return clock_snapshot() + entry(snapshot_packet(s)) + r.take();
}

std::string sequence_clocks(std::size_t n) {
  // The 64 clocks that belong to one sequence, on many sequences.
  std::string out = clock_snapshot();
  for (std::uint32_t q = 1; q <= n / 64; ++q) {
    message s;
    s.sub(cs::clocks, reading(boottime, 2'000));
    for (std::uint64_t c = 64; c < 128; ++c) s.sub(cs::clocks, reading(c, 1'000));
    auto r = begun(q);
    r.packet(snapshot_packet(s));
    for (std::uint64_t c = 64; c < 128; ++c) r.packet(sample_at(c, 4'000));
    out += r.take();
  }
  return out;
}

std::string incremental(std::size_t n) {
  auto r = begun();
  for (std::size_t i = 0; i < n; ++i) {
    if (i % 10 == 0)
      r.packet(snapshot_packet(message()
                                   .sub(cs::clocks, reading(boottime, 1'000 + i * 100))
                                   .sub(cs::clocks, reading(64, 10 * i, true))));
    r.packet(sample_at(64, 10));
  }
  return clock_snapshot() + r.take();
}

std::string empty_clocks(std::size_t n) {
  // Two bytes each.
  message s;
  for (std::size_t i = 0; i < n; ++i) s.text(cs::clocks, {});
  return clock_snapshot() + entry(snapshot_packet(s));
}

std::string machines(std::size_t n) {
  std::string out = clock_snapshot();
  for (std::uint32_t m = 1; m <= n; ++m) {
    recorder r(1, m);
    std::uint64_t const one[] = {1};
    r.clear().function(1, "f").frame(1, 1).callstack(1, one).sample(1);
    out += r.take();
    message s;
    s.sub(cs::clocks, reading(boottime, 1'000)).sub(cs::clocks, reading(1, 1'790'000'000'000'000'000));
    out += entry(snapshot_packet(s).num(tp::machine_id, m));
  }
  return out;
}

message synced(message const& client, message const& host) {
  namespace s = fields::remote_clock_sync_synced_clocks;
  return message().sub(s::client_clocks, client).sub(s::host_clocks, host);
}

std::string sync_rounds(std::size_t n) {
  message all;
  for (std::size_t i = 1; i <= n; ++i) {
    message c, h;
    c.sub(cs::clocks, reading(boottime, 1'000 * i));
    h.sub(cs::clocks, reading(boottime, 1'000 * i + 7));
    all.sub(fields::remote_clock_sync::synced_clocks, synced(c, h));
  }
  return clock_snapshot() + entry(message().num(tp::machine_id, 1).sub(tp::remote_clock_sync, all));
}

std::string sync_clocks(std::size_t n) {
  // Every two rounds share a clock that no other round has.
  message all;
  for (std::size_t i = 1; i <= n; ++i) {
    message c, h;
    for (auto const k : {std::size_t{boottime}, first_global + i / 2}) {
      c.sub(cs::clocks, reading(k, 1'000 * i));
      h.sub(cs::clocks, reading(k, 1'000 * i + 7));
    }
    all.sub(fields::remote_clock_sync::synced_clocks, synced(c, h));
  }
  return clock_snapshot() + entry(message().num(tp::machine_id, 1).sub(tp::remote_clock_sync, all));
}

constexpr kind kinds[] = {
    {"different-clock-sets", different_sets, 1'000, "snapshots, each with another set of clocks"},
    {"growing-clock-sets", growing_sets, 10'000, "snapshots of 50 equal clocks and one of their own"},
    {"same-clock-set", same_set, 2'000, "snapshots, and samples that jump between them"},
    {"clocks-pairwise", pairwise, 1'000, "clocks in a chain of snapshots of two"},
    {"clocks-in-one-snapshot", one_snapshot, 1'250, "clocks of one snapshot"},
    {"sequence-clocks", sequence_clocks, 1'600, "clocks of sequences"},
    {"incremental-clock", incremental, 4'000, "steps of an incremental clock"},
    {"empty-clocks", empty_clocks, 40'000, "empty clocks of one snapshot"},
    {"machines", machines, 500, "machines with clocks of their own"},
    {"sync-rounds", sync_rounds, 1'000, "rounds of a remote clock sync"},
    {"sync-clocks", sync_clocks, 500, "rounds of a remote clock sync, each two with a clock of their own"},
};

}  // namespace

std::span<const kind> kinds_of_clocks() { return kinds; }

}  // namespace attack
