#include "perfetto_decode/survey.hpp"

#include <algorithm>
#include <map>

#include "perfetto_decode/budget.hpp"
#include "perfetto_decode/inflate.hpp"
#include "perfetto_decode/packet_kinds.hpp"
#include "perfetto_decode/survey_samples.hpp"
#include "perfetto_decode/trace_reader.hpp"
#include "proto/fields.hpp"

namespace profile_relay::perfetto_decode {
namespace {

/// Follows the order of work of the decoder (perfetto-decoding 3 and 4), but keeps nothing that packets hold.
class surveyor final : packet_sink {
 public:
  explicit surveyor(limits const& lim);
  survey run(byte_span trace);

 private:
  struct kind_state {
    kind_survey row;
    std::uint64_t last_packet = 0;  // a packet counts once, however often it repeats a field
  };
  static constexpr std::uint16_t no_kind = 0xffff;

  bool on_packet(packet_view const& p, packet_place const& place) override;
  void on_bundle(bundle_note const& b) override;
  void count_kinds(byte_span packet);
  void count_kind(std::uint32_t number, std::uint64_t bytes);
  void count_machine(std::uint32_t id);
  sequence_survey* sequence_of(packet_view const& p);
  void apply_state(packet_view const& p, sequence_survey& s);
  std::uint64_t count_samples(packet_view const& p, sequence_survey* s);
  void read_end(trace_reader const& reader, counters const& counts);
  void sort_lists();

  limits limits_;
  survey out_;
  clock_collector clocks_;
  std::vector<kind_state> kinds_;
  std::array<std::uint16_t, 256> kind_of_{};  // by field number
  kind_survey other_{.name = "other"};
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::size_t> sequences_;
  std::uint64_t packet_ = 0;
};

surveyor::surveyor(limits const& lim) : limits_(lim) {
  kind_of_.fill(no_kind);
  for (auto const& k : packet_kinds()) {
    kind_of_.at(k.number) = static_cast<std::uint16_t>(kinds_.size());
    kinds_.push_back({.row = {.name = k.name}});
  }
}

void surveyor::count_kind(std::uint32_t number, std::uint64_t bytes) {
  auto& k = kinds_[kind_of_[number]];
  k.row.bytes += bytes;
  if (k.last_packet == packet_) return;
  k.last_packet = packet_;
  ++k.row.packets;
}

void surveyor::count_kinds(byte_span packet) {
  bool known = false;
  wire_reader r(packet);
  while (r.next()) {
    if (!r.is_bytes() || r.number() >= kind_of_.size() || kind_of_[r.number()] == no_kind) continue;
    count_kind(r.number(), r.bytes().size());
    known = true;
  }
  if (known) return;
  ++other_.packets;
  other_.bytes += packet.size();
}

void surveyor::count_machine(std::uint32_t id) {
  auto at = std::ranges::find(out_.machines, id, &machine_survey::id);
  if (at == out_.machines.end()) {
    if (out_.machines.size() == limits_.sequences) return;
    out_.machines.push_back({id, 0});
    at = out_.machines.end() - 1;
  }
  ++at->packets;
}

sequence_survey* surveyor::sequence_of(packet_view const& p) {
  if (p.sequence_id == 0) {
    ++out_.packets_without_sequence;
    return nullptr;
  }
  std::pair const key{p.machine_id, p.sequence_id};
  auto it = sequences_.find(key);
  if (it == sequences_.end()) {
    if (out_.sequences.size() == limits_.sequences) {
      ++out_.packets_of_other_sequences;
      return nullptr;
    }
    it = sequences_.emplace(key, out_.sequences.size()).first;
    auto& fresh = out_.sequences.emplace_back();
    fresh.machine = p.machine_id;
    fresh.id = p.sequence_id;
  }
  return &out_.sequences[it->second];
}

void surveyor::apply_state(packet_view const& p, sequence_survey& s) {
  bool const lost = p.previous_packet_dropped != 0;
  bool const cleared =
      p.incremental_state_cleared || (p.sequence_flags & flag_incremental_state_cleared) != 0;
  if (lost && s.packets > 1) {
    ++s.losses;
    count_loss_reasons(p.previous_packet_dropped, s.losses_by_reason);
  }
  if (cleared) {
    ++s.clears;
    s.default_clock = 0;
  }
  s.valid = cleared || (s.valid && !lost);
  if (p.defaults.present()) {
    auto d = survey_defaults(p.defaults.bytes());
    s.has_defaults = true;
    s.default_clock = d.clock;
    if (!d.timebase.empty()) s.timebase = std::move(d.timebase);
    if (!d.source.empty()) s.source = std::move(d.source);
  }
  if (p.interned_data.present()) {
    auto const n = survey_interned(p.interned_data.bytes());
    (s.valid ? s.interned : s.interned_ignored) += n.entries;
    if (s.valid) out_.interned_callstacks += n.callstacks;
  }
  if ((p.sequence_flags & flag_needs_incremental_state) != 0) ++s.needs_state;
}

std::uint64_t surveyor::count_samples(packet_view const& p, sequence_survey* s) {
  bool const skipped = (p.sequence_flags & flag_needs_incremental_state) != 0 && (s == nullptr || !s->valid);
  if (!skipped) {
    auto const n = survey_sample_packet(p, out_.samples);
    if (s != nullptr) s->samples += n;
    return n;
  }
  if (s != nullptr) ++s->skipped;
  if (p.perf_sample.present() || p.streaming_profile.present() || p.stack_sample.present())
    ++out_.samples.skipped_packets;
  return 0;
}

bool surveyor::on_packet(packet_view const& p, packet_place const& place) {
  ++packet_;
  count_kinds(place.bytes);
  count_machine(p.machine_id);
  auto* const s = sequence_of(p);
  if (s != nullptr) {
    ++s->packets;
    s->bytes += place.bytes.size();
    apply_state(p, *s);
  }
  if (p.clock_snapshot.present()) {
    clocks_.snapshot(p, place.offset);
    return true;
  }
  if (p.remote_clock_sync.present() || p.service_or_extension) return true;
  auto const samples = count_samples(p, s);
  if (p.has_timestamp) clocks_.stamp(p, s == nullptr ? 0 : s->default_clock, samples);
  return true;
}

void surveyor::on_bundle(bundle_note const& b) {
  bool const zlib = b.how == packing::zlib_stream;
  auto& to = zlib ? out_.zlib_bundles : out_.zstd_bundles;
  ++to.count;
  to.packed += b.packed;
  to.inflated += b.inflated;
  ++packet_;
  count_kind(zlib ? proto::fields::trace_packet::compressed_packets
                  : proto::fields::trace_packet::zstd_compressed_packets,
             b.packed);
}

void surveyor::read_end(trace_reader const& reader, counters const& counts) {
  out_.packets = reader.packets();
  out_.end = reader.offset();
  out_.inflated_bytes = reader.file_inflated();
  if (auto const how = reader.file_packing())
    out_.packing = *how == packing::gzip_members ? file_packing::gzip : file_packing::zstd;
  out_.truncated = counts[counter::packet_truncated] != 0;
  for (auto const c : {counter::packet_corrupt, counter::bundle_corrupt}) {
    if (counts[c] == 0) continue;
    out_.damage = c;
    out_.damage_offset = counts.corrupt_offset;
  }
  if (reader.failed() && !out_.refused) out_.refused = reader.failure();
}

void surveyor::sort_lists() {
  for (auto const& k : kinds_)
    if (k.row.packets != 0) out_.kinds.push_back(k.row);
  if (other_.packets != 0) out_.kinds.push_back(other_);
  std::ranges::stable_sort(out_.kinds, std::greater{}, &kind_survey::packets);
  std::ranges::stable_sort(out_.sequences, std::greater{}, &sequence_survey::packets);
}

survey surveyor::run(byte_span trace) {
  memory_budget working(limits_.working_bytes);
  counters counts;
  trace_reader reader(limits_, working, counts, *this);
  try {
    (void)reader.run(trace);
  } catch (budget_refused const& refused) {
    out_.refused = error{refused.code, reader.offset(), trace_reader::working_exceeded};
  }
  out_.bytes = trace.size();
  read_end(reader, counts);
  sort_lists();
  out_.clocks = clocks_.take();
  return std::move(out_);
}

}  // namespace

survey take_survey(std::span<const std::byte> trace, limits const& lim) { return surveyor(lim).run(trace); }

}  // namespace profile_relay::perfetto_decode
