// What the survey counts, on traces of one question each, and that it agrees with the decoder on all text traces.
#include "perfetto_decode/survey.hpp"

#include <google/protobuf/descriptor.h>
#include <zlib.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <protozero/pbf_writer.hpp>
#include <sstream>

#include "perfetto_decode/decoded_trace.hpp"
#include "perfetto_decode/packet_kinds.hpp"
#include "proto/fields.hpp"
#include "proto/trace.pb.h"

namespace pd = profile_relay::perfetto_decode;
namespace fs = std::filesystem;
namespace tp = profile_relay::proto::fields::trace_packet;

namespace {

std::span<const std::byte> bytes_of(std::string const& s) {
  return std::as_bytes(std::span(s.data(), s.size()));
}
pd::survey survey_of(std::string const& s, pd::limits const& lim = {}) {
  return pd::take_survey(bytes_of(s), lim);
}

/// A packet, written field by field.
struct packet {
  std::string bytes;

  packet& number(std::uint32_t field, std::uint64_t v) {
    protozero::pbf_writer(bytes).add_uint64(field, v);
    return *this;
  }
  packet& message(std::uint32_t field, std::string const& content) {
    protozero::pbf_writer(bytes).add_message(field, content);
    return *this;
  }
  std::string in_trace() const {
    std::string out;
    protozero::pbf_writer(out).add_message(1, bytes);
    return out;
  }
};

packet on(std::uint32_t sequence) { return packet().number(tp::trusted_packet_sequence_id, sequence); }

std::string snapshot(std::vector<std::pair<std::uint32_t, std::uint64_t>> const& readings) {
  std::string s;
  for (auto const& [id, at] : readings)
    s += packet().message(1, packet().number(1, id).number(2, at).bytes).bytes;
  return on(1).message(tp::clock_snapshot, s).in_trace();
}

pd::kind_survey kind(pd::survey const& s, std::string_view name) {
  auto const at = std::ranges::find(s.kinds, name, &pd::kind_survey::name);
  return at == s.kinds.end() ? pd::kind_survey{} : *at;
}

std::string deflated(std::string const& in) {
  std::string out(compressBound(in.size()), '\0');
  uLongf size = out.size();
  REQUIRE(compress(reinterpret_cast<Bytef*>(out.data()), &size, reinterpret_cast<Bytef const*>(in.data()),
                   in.size()) == Z_OK);
  out.resize(size);
  return out;
}

constexpr std::uint64_t second = 1'000'000'000;

}  // namespace

TEST_CASE("the survey and the decoder count the same in every text trace") {
  std::size_t cases = 0;
  for (auto const& entry : fs::directory_iterator(fs::path(TEST_BUILD_DIR) / "traces")) {
    if (entry.path().extension() != ".pftrace") continue;
    INFO(entry.path().filename());
    std::ifstream f(entry.path(), std::ios::binary);
    std::stringstream text;
    text << f.rdbuf();
    auto const trace = text.str();
    auto const s = survey_of(trace);
    auto const d = pd::decode(bytes_of(trace)).value();
    CHECK(s.packets == d.packets);
    auto const& n = s.samples;
    CHECK(n.total() + n.perf_loss_reports + n.perf_producer_events == d.sample_records);
    CHECK((s.clocks.snapshot_count != 0) == d.has_clock_snapshot);
    auto const sum = [&](std::uint64_t pd::sequence_survey::*what) {
      return std::accumulate(s.sequences.begin(), s.sequences.end(), std::uint64_t{0},
                             [&](std::uint64_t all, auto const& q) { return all + q.*what; });
    };
    CHECK(sum(&pd::sequence_survey::losses) == d.counts[pd::counter::previous_packet_dropped]);
    CHECK(sum(&pd::sequence_survey::skipped) ==
          d.counts[pd::counter::packet_skipped_seq_needs_incremental_state_invalid]);
    CHECK(sum(&pd::sequence_survey::packets) + s.packets_without_sequence == s.packets);
    std::uint64_t lost = 0;
    for (auto const& [cpu, records] : n.lost_records_by_cpu) lost += records;
    CHECK(lost == d.counts[pd::counter::perf_cpu_lost_records]);
    ++cases;
  }
  CHECK(cases >= 20);
}

TEST_CASE("packet kinds have the names and numbers of the schema") {
  auto const* const schema = perfetto::protos::TracePacket::descriptor();
  std::size_t known = 0;
  for (auto const& k : pd::packet_kinds()) {
    auto const* const field = schema->FindFieldByNumber(static_cast<int>(k.number));
    if (field == nullptr) continue;  // of another data source
    CHECK(field->name() == k.name);
    ++known;
  }
  CHECK(known >= 18);
}

TEST_CASE("a packet counts once under each payload that it has, else under other") {
  auto const s = survey_of(on(1).message(tp::interned_data, "").message(tp::perf_sample, "").in_trace() +
                           on(1).message(tp::perf_sample, "").message(tp::perf_sample, "").in_trace() +
                           on(1).message(777, "unknown").in_trace() + packet().in_trace());
  CHECK(s.packets == 4);
  CHECK(kind(s, "perf_sample").packets == 2);
  CHECK(kind(s, "interned_data").packets == 1);
  CHECK(kind(s, "other").packets == 2);
  CHECK(kind(s, "track_event").packets == 0);
  CHECK(s.packets_without_sequence == 1);
}

TEST_CASE("clears, losses and validity of sequences") {
  auto const clear = [](std::uint32_t id) { return on(id).number(tp::sequence_flags, 1); };
  auto const needs = [](std::uint32_t id) {
    return on(id).number(tp::sequence_flags, 2).message(tp::perf_sample, "");
  };
  auto const s =
      survey_of(clear(1).number(tp::previous_packet_dropped, 1).in_trace() + needs(1).in_trace() +
                needs(1).number(tp::previous_packet_dropped, 1 | 256).in_trace() + needs(1).in_trace() +
                clear(1).number(tp::previous_packet_dropped, 1 | 2).in_trace() + needs(1).in_trace() +
                needs(2).in_trace());
  REQUIRE(s.sequences.size() == 2);
  auto const& one = s.sequences[0];
  CHECK(one.packets == 6);
  CHECK(one.clears == 2);
  CHECK(one.losses == 2);  // not the mark on the first packet
  CHECK(one.losses_by_reason == pd::loss_counts{2, 1, 0, 0, 0, 0, 0, 0, 1, 0});
  CHECK(one.needs_state == 4);
  CHECK(one.skipped == 2);
  CHECK(one.samples == 2);
  CHECK(one.valid);
  CHECK_FALSE(s.sequences[1].valid);
  CHECK(s.samples.skipped_packets == 3);
  CHECK(s.samples.perf_without_stack == 2);
}

TEST_CASE("defaults in words, interned entries and machines") {
  auto const timebase = packet().number(2, 101).number(4, 1).bytes;
  auto const defaults = packet().number(58, 3).message(12, packet().message(1, timebase).bytes).bytes;
  auto const interned = packet().message(7, "").message(7, "").message(5, "").bytes;
  auto const s = survey_of(on(5)
                               .number(tp::sequence_flags, 1)
                               .message(tp::trace_packet_defaults, defaults)
                               .message(tp::interned_data, interned)
                               .in_trace() +
                           on(5).number(tp::machine_id, 7).message(tp::interned_data, interned).in_trace());
  REQUIRE(s.sequences.size() == 2);
  CHECK(s.sequences[0].timebase == "SW_CPU_CLOCK, 101 Hz");
  CHECK(s.sequences[0].default_clock == 3);
  CHECK(s.sequences[0].interned == 3);
  CHECK(s.sequences[1].machine == 7);
  CHECK(s.sequences[1].interned_ignored == 3);
  CHECK(s.interned_callstacks == 2);
  CHECK(s.machines.size() == 2);
}

TEST_CASE("suspends and steps of the wall clock show between snapshots") {
  auto const s = survey_of(snapshot({{6, 10 * second}, {3, 4 * second}, {1, 1'000 * second}}) +
                           snapshot({{6, 20 * second}, {3, 7 * second}, {1, 1'010 * second}}) +
                           snapshot({{6, 21 * second}, {3, 8 * second}, {1, 1'008 * second}}) +
                           snapshot({{6, 22 * second}, {3, 9 * second + 900'000}, {1, 1'009 * second}}) +
                           snapshot({{6, 1 * second}, {3, 1 * second}, {1, 2'000 * second}}));
  auto const& c = s.clocks;
  CHECK(c.snapshot_count == 5);
  REQUIRE(c.suspends.size() == 1);
  CHECK(c.suspends[0].by == static_cast<std::int64_t>(7 * second));
  CHECK(c.suspends[0].from == static_cast<std::int64_t>(10 * second));
  REQUIRE(c.realtime_steps.size() == 1);  // another boot is no step
  CHECK(c.realtime_steps[0].by == -static_cast<std::int64_t>(3 * second));
  CHECK(c.realtime_steps[0].until == static_cast<std::int64_t>(21 * second));
}

TEST_CASE("stamps are counted with the clock that the packet uses") {
  auto const defaults = packet().number(58, 3).bytes;
  auto const s = survey_of(on(2).number(tp::timestamp, 1).in_trace() + snapshot({{6, 5}, {3, 4}}) +
                           on(2).number(tp::timestamp, 6).in_trace() +
                           on(2).number(tp::timestamp, 7).number(tp::timestamp_clock_id, 64).in_trace() +
                           on(2).message(tp::trace_packet_defaults, defaults).in_trace() +
                           on(2).number(tp::timestamp, 9).message(tp::perf_sample, "").in_trace());
  auto const& c = s.clocks;
  CHECK(c.packets_without_clock == 1);
  REQUIRE(c.clocks.size() == 3);
  CHECK(c.clocks[0].id == 3);
  CHECK(c.clocks[0].samples == 1);
  CHECK(c.clocks[0].latest == 9);
  CHECK(c.clocks[1].id == 6);
  CHECK(c.clocks[1].packets == 1);
  CHECK(c.clocks[2].sequence == 2);
}

TEST_CASE("bundles, damage, the end and limits are told, and what precedes counts") {
  auto const inner = on(1).message(tp::perf_sample, "").in_trace();
  auto const bundle = packet().message(tp::compressed_packets, deflated(inner + inner)).in_trace();
  auto const s = survey_of(bundle + inner + std::string("\x0a\x20\x08\x01", 4));
  CHECK(s.packets == 4);
  CHECK(s.zlib_bundles.count == 1);
  CHECK(s.zlib_bundles.inflated == 2 * inner.size());
  CHECK(kind(s, "compressed_packets").packets == 1);
  CHECK(kind(s, "perf_sample").packets == 3);
  CHECK(s.truncated);
  CHECK(s.end == bundle.size() + inner.size());

  auto const damaged = survey_of(inner + "\x07");
  CHECK(damaged.damage == pd::counter::packet_corrupt);
  CHECK(damaged.damage_offset == inner.size());
  CHECK_FALSE(damaged.refused);

  pd::limits two;
  two.packets = 3;
  auto const refused = survey_of(inner + inner + inner + inner, two);
  REQUIRE(refused.refused);
  CHECK(refused.refused->code == pd::errc::too_many_packets);
  CHECK(kind(refused, "perf_sample").packets == 2);
}

TEST_CASE("lists are capped and the rest is counted") {
  pd::limits lim;
  lim.sequences = 2;
  std::string trace;
  for (std::uint32_t id = 1; id <= 5; ++id) trace += on(id).in_trace();
  auto const s = survey_of(trace, lim);
  CHECK(s.sequences.size() == 2);
  CHECK(s.packets_of_other_sequences == 3);

  trace.clear();
  auto const count = pd::clock_collector::max_snapshots + 3;
  for (std::size_t i = 0; i < count; ++i) trace += snapshot({{6, i}});
  auto const many = survey_of(trace);
  CHECK(many.clocks.snapshots.size() == pd::clock_collector::max_snapshots);
  CHECK(many.clocks.snapshot_count == count);
}
