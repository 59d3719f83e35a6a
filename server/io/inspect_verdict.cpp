#include "server/io/inspect_verdict.hpp"

#include <algorithm>

#include "server/core/reason.hpp"
#include "server/io/counter_advice.hpp"
#include "server/io/text_table.hpp"

namespace profile_relay::server {

namespace {

using namespace perfetto_decode;

std::string packets_of(inspection const& i) {
  return with_commas(i.survey.packets) + (i.survey.packets == 1 ? " packet" : " packets");
}

bool damaged(survey const& s) { return s.truncated || s.damage_offset.has_value(); }

/// A healthy trace without samples has few causes, and the trace itself tells most of them apart.
std::vector<std::string> advice_for_empty(survey const& s) {
  if (s.packets == 0) return {"the file holds nothing: was the recording flushed before the file was read?"};
  std::vector<std::string> out;
  auto const profiler = std::ranges::find_if(s.sequences, [](auto const& q) { return !q.timebase.empty(); });
  if (profiler == s.sequences.end()) {
    out.emplace_back(
        "no profiler announced itself on any sequence: is linux.perf (or another CPU profiler) among the "
        "data "
        "sources, and may it profile this app (profileable or debuggable)?");
    return out;
  }
  out.push_back("a profiler was running (sequence " + std::to_string(profiler->id) + ": " +
                printable(profiler->timebase) + ") but wrote no sample");
  if (s.interned_callstacks != 0)
    out.push_back(
        "it interned " + with_commas(s.interned_callstacks) +
        " callstacks, so samples were taken and removed afterwards: redaction keeps only the app's own");
  else
    out.emplace_back(
        "the target used no CPU while it ran, or its scope (target_cmdline) matches no process: compare it "
        "with "
        "the app's process name");
  out.emplace_back("nothing is wrong with the file; sending it again changes nothing");
  return out;
}

inspect_verdict rejected_by_decoder(inspection const& i) {
  auto const& e = *i.rejection;
  inspect_verdict v{"rejected", e.what + " (at byte " + with_commas(e.offset) + ")", {}};
  if (e.cause == "trace_limit")
    v.advice = {"record shorter chunks, at a lower frequency, or raise the limit (docs/configuration.md)",
                "the trace has " + packets_of(i) + " and " + with_commas(i.survey.samples.total()) +
                    " samples; the defaults allow " + with_commas(limits{}.packets - 1) + " and " +
                    with_commas(limits{}.samples - 1)};
  else
    v.advice = {"is it a Perfetto trace? It opens with byte 0a, or is compressed with gzip or zstd"};
  return v;
}

inspect_verdict empty(inspection const& i) {
  auto const& s = i.survey;
  inspect_verdict v{"empty", "", advice_for_empty(s)};
  if (damaged(s)) {
    v.text = "damaged trace, " + packets_of(i) + " before the damage, none of them a CPU sample";
    v.advice.insert(v.advice.begin(), "the damage may have cost the samples; see the counters");
  } else if (s.packets == 0) {
    v.text = "no packet and no CPU sample in " + human_bytes(s.bytes);
  } else {
    v.text = "healthy trace, " + packets_of(i) + ", no CPU sample";
  }
  return v;
}

inspect_verdict nothing_usable(inspection const& i) {
  auto const& samples = i.survey.samples;
  inspect_verdict v{"nothing_usable", "", {}};
  v.text = with_commas(i.trace->sample_records) + " sample records, but none is CPU time with a stack";
  if (samples.total() == 0 && samples.skipped_packets != 0)
    v.text =
        "all " + with_commas(samples.skipped_packets) + " sample packets need interned state that is lost";
  else if (samples.total() == 0)
    v.text = "the profiler reports losses, but wrote no sample";
  // The counter that took most is the likely cause.
  counter_info const* most = nullptr;
  for (auto const& row : counter_table())
    if (i.trace->counts[row.id] > (most == nullptr ? 0 : i.trace->counts[most->id])) most = &row;
  if (most != nullptr) {
    v.advice.push_back(with_commas(i.trace->counts[most->id]) + "x " + std::string(most->meaning));
    if (auto const advice = advice_for(most->id); !advice.empty()) v.advice.emplace_back(advice);
  }
  return v;
}

bool clock_failed(counters const& c) {
  return c[counter::clock_sync_failure_unknown_source_clock] +
             c[counter::clock_sync_failure_unknown_target_clock] + c[counter::clock_sync_failure_no_path] !=
         0;
}

}  // namespace

inspect_verdict verdict_of(inspection const& i) {
  if (i.refused()) return rejected_by_decoder(i);
  auto const& t = *i.trace;
  if (t.sample_records == 0 && i.survey.samples.skipped_packets == 0) return empty(i);
  if (i.conversion.emitted_samples == 0 && (!t.samples.empty() || clock_failed(t.counts)))
    return {"no_wall_clock",
            "no sample can be placed in time: " +
                std::string(t.has_clock_snapshot ? "no snapshot leads from the samples' clock to REALTIME"
                                                 : "the trace has no clock snapshot"),
            {std::string(advice_for(counter::clock_sync_failure_no_path))}};
  if (t.samples.empty()) return nothing_usable(i);
  if (i.rejection)
    return {"rejected",
            std::string(row_of(to_reason(i.rejection->code)).name) + ": " + i.rejection->what,
            {i.rejection->code == profile::errc::duration_is_too_long
                 ? "record chunks of at most 66 s of wall time; time asleep counts"
                 : "a thread needs two samples to count; record longer or at a higher frequency"}};
  auto sent = with_commas(i.chunk.samples.size()) + " samples to send";
  if (i.single_sample_thread != 0)
    sent += " (" + with_commas(i.single_sample_thread) + " of threads with one sample are not)";
  if (t.counts.any_loss()) return {"losses", sent + ", and something was lost; see the counters", {}};
  return {"usable", sent + ", nothing lost", {}};
}

std::string_view verdict_title(std::string_view code) {
  if (code == "usable") return "USABLE";
  if (code == "losses") return "USABLE, WITH LOSSES";
  if (code == "empty") return "EMPTY";
  if (code == "nothing_usable") return "NOTHING USABLE";
  if (code == "no_wall_clock") return "NO WALL CLOCK";
  return "REJECTED";
}

}  // namespace profile_relay::server
