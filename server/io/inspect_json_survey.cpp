#include "server/io/cmd_inspect_json.hpp"

namespace profile_relay::server {

namespace {

using namespace perfetto_decode;
using json = nlohmann::ordered_json;

json bundles_json(bundle_survey const& b) {
  return {{"count", b.count}, {"bytes", b.packed}, {"inflated_bytes", b.inflated}};
}

json sequence_json(sequence_survey const& s) {
  json row{{"machine", s.machine},
           {"id", s.id},
           {"packets", s.packets},
           {"bytes", s.bytes},
           {"samples", s.samples},
           {"clears", s.clears},
           {"losses", s.losses},
           {"needs_state", s.needs_state},
           {"skipped", s.skipped},
           {"interned", s.interned},
           {"interned_ignored", s.interned_ignored},
           {"valid_at_end", s.valid},
           {"default_clock", s.default_clock},
           {"timebase", s.timebase},
           {"source", s.source}};
  auto& reasons = row["losses_by_reason"] = json::object();
  for (std::size_t bit = 0; bit < packet_loss_names.size(); ++bit)
    if (s.losses_by_reason[bit] != 0) reasons[std::string(packet_loss_names[bit])] = s.losses_by_reason[bit];
  return row;
}

json clock_json(clock_row const& c) {
  json row{{"machine", c.machine},     {"sequence", c.sequence}, {"id", c.id},
           {"name", clock_name(c.id)}, {"readings", c.readings}, {"packets", c.packets},
           {"samples", c.samples}};
  if (c.readings != 0) {
    row["first"] = c.first;
    row["last"] = c.last;
  }
  if (c.packets != 0) {
    row["earliest"] = c.earliest;
    row["latest"] = c.latest;
  }
  return row;
}

json snapshot_json(snapshot_row const& s) {
  json row{{"offset", s.offset}, {"machine", s.machine}, {"sequence", s.sequence}, {"primary", s.primary}};
  auto& readings = row["readings"] = json::array();
  for (auto const& [id, reading] : s.readings) readings.push_back({{"clock", id}, {"timestamp", reading}});
  return row;
}

json event_json(clock_event const& e) {
  return {{"machine", e.machine}, {"from", e.from}, {"until", e.until}, {"ns", e.by}};
}

json sample_kinds_json(sample_survey const& s) {
  json out{{"perf_sample_with_stack", s.perf_with_stack},
           {"perf_sample_without_stack", s.perf_without_stack},
           {"perf_sample_loss_reports", s.perf_loss_reports},
           {"perf_sample_producer_events", s.perf_producer_events},
           {"perf_sample_skip_reasons", s.perf_skip_reasons},
           {"streaming_profile_packets", s.streaming_packets},
           {"streaming_profile_samples", s.streaming_samples},
           {"stack_sample_with_stack", s.stack_samples_with_stack},
           {"stack_sample_without_stack", s.stack_samples_without_stack},
           {"skipped_packets", s.skipped_packets}};
  auto& lost = out["lost_records_by_cpu"] = json::object();
  for (auto const& [cpu, n] : s.lost_records_by_cpu) lost[std::to_string(cpu)] = n;
  return out;
}

template <class List, class Row>
json list_of(List const& list, Row row) {
  auto out = json::array();
  for (auto const& x : list) out.push_back(row(x));
  return out;
}

}  // namespace

void add_survey_json(json& out, survey const& s) {
  constexpr const char* packings[] = {"plain", "gzip", "zstd"};
  out["packing"] = packings[static_cast<std::size_t>(s.packing)];
  if (s.packing != file_packing::plain) out["inflated_bytes"] = s.inflated_bytes;
  out["surveyed_packets"] = s.packets;
  if (s.truncated) out["truncated_offset"] = s.end;
  auto& kinds = out["packets_by_kind"] = json::object();
  for (auto const& k : s.kinds) kinds[std::string(k.name)] = {{"packets", k.packets}, {"bytes", k.bytes}};
  out["bundles"] = {{"zlib", bundles_json(s.zlib_bundles)}, {"zstd", bundles_json(s.zstd_bundles)}};
  out["machines"] = list_of(s.machines, [](auto const& m) {
    return json{{"id", m.id}, {"packets", m.packets}};
  });
  out["sequences"] = list_of(s.sequences, sequence_json);
  out["packets_without_sequence"] = s.packets_without_sequence;
  out["packets_of_other_sequences"] = s.packets_of_other_sequences;
  out["clocks"] = list_of(s.clocks.clocks, clock_json);
  out["snapshots"] = list_of(s.clocks.snapshots, snapshot_json);
  out["snapshot_count"] = s.clocks.snapshot_count;
  out["suspends"] = list_of(s.clocks.suspends, event_json);
  out["realtime_steps"] = list_of(s.clocks.realtime_steps, event_json);
  out["sample_kinds"] = sample_kinds_json(s.samples);
}

}  // namespace profile_relay::server
