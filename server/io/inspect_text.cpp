// The order of the report, its head and its end.
#include "server/io/inspect_text.hpp"

#include <algorithm>
#include <ostream>

#include "server/io/counter_advice.hpp"
#include "server/io/inspect_verdict.hpp"
#include "server/io/text_table.hpp"

namespace profile_relay::server {

namespace {

using namespace perfetto_decode;

void print_verdict(std::ostream& out, inspect_verdict const& v) {
  out << verdict_title(v.code) << "   " << printable(v.text) << '\n';
  for (auto const& line : v.advice) out << "  -> " << printable(line) << '\n';
  out << '\n';
}

void print_sample_list(std::ostream& out, decoded_trace const& t) {
  out << "\nsamples, leaf first\n";
  for (auto const& s : t.samples) {
    out << (s.has_trace_time ? std::to_string(s.trace_time) : "-") << " tid "
        << (s.task != none && t.tasks[s.task].has_tid ? std::to_string(t.tasks[s.task].tid) : "-") << ' ';
    auto const& st = t.stacks[s.stack];
    for (std::uint32_t i = 0; i < st.count; ++i) {
      auto const& f = t.frames[st.frames()[i]];
      out << (i == 0 ? "" : " < ") << (f.function.empty() ? "?" : printable(f.function));
    }
    out << '\n';
  }
}

std::string offset_text(std::uint64_t offset) { return "at byte " + with_commas(offset); }

}  // namespace

std::vector<std::string> counter_details(counter c, inspection const& i) {
  std::vector<std::string> out;
  switch (c) {
    case counter::previous_packet_dropped:
      for (std::size_t bit = 0; bit < packet_loss_names.size(); ++bit)
        if (auto const n = i.trace->counts.packet_losses[bit]; n != 0)
          out.push_back(std::string(packet_loss_names[bit]) + ": " + with_commas(n));
      break;
    case counter::perf_cpu_lost_records:
      for (auto const& [cpu, n] : i.trace->counts.lost_records_by_cpu)
        out.push_back("cpu " + std::to_string(cpu) + ": " + with_commas(n));
      break;
    case counter::unwind_error:
      for (auto const& [name, n] : unwind_errors(i.trace->counts))
        out.push_back(std::string(name) + ": " + with_commas(n));
      break;
    case counter::realtime_step_back:
      out.push_back("its readings go back by up to " + seconds(i.trace->counts.realtime_step_back_ns));
      break;
    case counter::packet_corrupt:
    case counter::bundle_corrupt:
      if (i.survey.damage_offset) out.push_back("the damage begins " + offset_text(*i.survey.damage_offset));
      break;
    case counter::packet_truncated:
      out.push_back("it begins " + offset_text(i.survey.end));
      break;
    default:
      break;
  }
  return out;
}

void print_counters(std::ostream& out, inspection const& i) {
  out << "\ncounters\n";
  auto const& c = i.trace->counts;
  bool any = false;
  std::vector<std::string_view> given;  // several counters share an advice: once is enough
  for (auto const level : {severity::loss, severity::info})
    for (auto const& row : counter_table()) {
      if (c[row.id] == 0 || row.level != level) continue;
      any = true;
      out << "  " << (level == severity::loss ? "loss  " : "info  ") << with_commas(c[row.id]) << "  "
          << row.name << ": " << row.meaning << '\n';
      for (auto const& line : counter_details(row.id, i)) out << "          " << line << '\n';
      auto const advice = advice_for(row.id);
      if (advice.empty() || std::ranges::find(given, advice) != given.end()) continue;
      out << "        -> " << advice << '\n';
      given.push_back(advice);
    }
  if (!any) out << "  all zero: nothing was lost\n";
}

void print_inspection(std::ostream& out, std::string_view file, inspection const& i,
                      inspect_options const& o) {
  print_verdict(out, i.verdict);
  print_packing(out, file, i);
  print_packets(out, i.survey, o);
  print_sequences(out, i.survey, o);
  print_clocks(out, i.survey.clocks, o);
  print_samples(out, i, o);
  if (i.refused()) return;
  print_images(out, i, o);
  print_counters(out, i);
  if (o.samples) print_sample_list(out, *i.trace);
}

}  // namespace profile_relay::server
