// What the trace is made of: packing, packets, sequences, clocks.
#include <algorithm>
#include <ostream>

#include "server/io/inspect_text.hpp"
#include "server/io/text_table.hpp"

namespace profile_relay::server {

namespace {

using namespace perfetto_decode;

constexpr std::size_t row_cap = 20;

std::size_t cap_of(inspect_options const& o) { return o.all ? 0 : row_cap; }

void row(std::ostream& out, std::string name, std::string const& value) {
  name.resize(16, ' ');
  out << name << value << '\n';
}

std::string bundles(bundle_survey const& b, std::string_view codec) {
  return with_commas(b.count) + " " + std::string(codec) + ", " + human_bytes(b.packed) + " inflated to " +
         human_bytes(b.inflated);
}

std::string loss_text(sequence_survey const& s) {
  if (s.losses == 0) return "0";
  std::string out;
  for (std::size_t bit = 0; bit < packet_loss_names.size(); ++bit) {
    // "present" accompanies every other reason.
    if (s.losses_by_reason[bit] == 0 || (bit == 0 && s.losses_by_reason[0] == s.losses)) continue;
    out += (out.empty() ? "" : ", ") + std::string(packet_loss_names[bit]);
  }
  return with_commas(s.losses) + (out.empty() ? "" : " (" + out + ")");
}

std::string defaults_text(sequence_survey const& s) {
  std::string out = printable(s.timebase);
  if (!s.source.empty()) out += (out.empty() ? "" : "; ") + std::string("source ") + printable(s.source);
  if (s.default_clock != 0)
    out += (out.empty() ? "" : "; ") + std::string("clock ") + clock_text(s.default_clock, s.id);
  return out;
}

std::string machine_prefix(std::uint32_t machine) {
  return machine == 0 ? "" : "machine " + std::to_string(machine) + ", ";
}

/// Clocks that a producer defines count in a unit of their own.
std::string span_text(std::uint32_t clock, std::uint64_t first, std::uint64_t last) {
  if (last < first) return "goes back";
  return clock < 64 ? seconds(static_cast<std::int64_t>(last - first)) : with_commas(last - first);
}

void print_events(std::ostream& out, std::vector<clock_event> const& list, std::uint64_t count, bool steps,
                  inspect_options const& o) {
  std::size_t shown = 0;
  for (auto const& e : list) {
    if (!o.all && shown == row_cap) break;
    ++shown;
    if (steps)
      out << "  REALTIME was set " << (e.by < 0 ? "back by " : "forward by ")
          << seconds(e.by < 0 ? -e.by : e.by);
    else
      out << "  suspended for " << seconds(e.by);
    if (e.machine != 0) out << " (machine " << e.machine << ')';
    out << " between the snapshots at BOOTTIME " << seconds(e.from) << " and " << seconds(e.until) << '\n';
  }
  if (shown < count) out << "  ... and " << with_commas(count - shown) << " more\n";
}

void print_snapshots(std::ostream& out, clock_survey const& c) {
  out << "\nsnapshots\n";
  for (auto const& s : c.snapshots) {
    out << "  at byte " << with_commas(s.offset) << ", " << machine_prefix(s.machine) << "sequence "
        << s.sequence;
    if (s.primary != 0) out << ", primary " << clock_text(s.primary, s.sequence);
    out << ':';
    for (auto const& [id, reading] : s.readings)
      out << "  " << clock_text(id, s.sequence) << ' ' << with_commas(reading);
    out << '\n';
  }
  if (c.snapshots.size() < c.snapshot_count)
    out << "  ... and " << with_commas(c.snapshot_count - c.snapshots.size()) << " more\n";
}

}  // namespace

std::string clock_text(std::uint32_t id, std::uint32_t sequence) {
  if (auto const name = clock_name(id); !name.empty()) return std::to_string(id) + " " + std::string(name);
  if (id >= 64 && id < 128) return std::to_string(id) + " of sequence " + std::to_string(sequence);
  return std::to_string(id);
}

void print_packing(std::ostream& out, std::string_view file, inspection const& i) {
  auto const& s = i.survey;
  row(out, "trace",
      printable(file) + ", " + with_commas(i.bytes) + " bytes" +
          (i.bytes < 1024 ? "" : " (" + human_bytes(i.bytes) + ")"));
  if (s.packing != file_packing::plain)
    row(out, "packing",
        std::string(s.packing == file_packing::gzip ? "gzip" : "zstd") + ", inflates to " +
            human_bytes(s.inflated_bytes));
  if (s.zlib_bundles.count != 0) row(out, "bundles", bundles(s.zlib_bundles, "zlib"));
  if (s.zstd_bundles.count != 0) row(out, "bundles", bundles(s.zstd_bundles, "zstd"));
  if (s.damage_offset)
    row(out, "damage",
        std::string(s.damage == counter::bundle_corrupt ? "a bundle" : "a packet") +
            " that does not parse at byte " + with_commas(*s.damage_offset) + "; the rest is not read");
  if (s.truncated) row(out, "cut off", "in the packet that begins at byte " + with_commas(s.end));
  if (s.refused) row(out, "read to", "byte " + with_commas(s.refused->offset) + ": " + s.refused->what);
}

void print_packets(std::ostream& out, survey const& s, inspect_options const& o) {
  out << "\npackets: " << with_commas(s.packets) << '\n';
  if (s.machines.size() > 1)
    for (auto const& m : s.machines)
      out << "  " << (m.id == 0 ? "host" : "machine " + std::to_string(m.id)) << ": "
          << with_commas(m.packets) << '\n';
  if (s.kinds.empty()) return;
  text_table table({">packets", "with", ">bytes"});
  for (auto const& k : s.kinds)
    table.add({with_commas(k.packets), std::string(k.name), with_commas(k.bytes)});
  table.print(out, cap_of(o));
}

void print_sequences(std::ostream& out, survey const& s, inspect_options const& o) {
  out << "\nsequences: " << with_commas(s.sequences.size());
  if (s.packets_of_other_sequences != 0)
    out << " and more, with " << with_commas(s.packets_of_other_sequences) << " packets";
  if (s.packets_without_sequence != 0)
    out << "; " << with_commas(s.packets_without_sequence) << " packets without a sequence";
  out << '\n';
  if (s.sequences.empty()) return;
  text_table table({">sequence", ">packets", ">samples", ">interned", ">clears", ">losses", ">skipped",
                    "state at the end", "defaults"});
  for (auto const& q : s.sequences)
    table.add({(q.machine == 0 ? "" : std::to_string(q.machine) + ":") + std::to_string(q.id),
               with_commas(q.packets), with_commas(q.samples), with_commas(q.interned), with_commas(q.clears),
               loss_text(q), with_commas(q.skipped),
               q.valid         ? "valid"
               : q.clears != 0 ? "lost"
                               : "none",
               defaults_text(q)});
  table.print(out, cap_of(o));
}

void print_clocks(std::ostream& out, clock_survey const& c, inspect_options const& o) {
  out << "\nclocks: " << with_commas(c.snapshot_count)
      << (c.snapshot_count == 1 ? " snapshot" : " snapshots");
  if (c.packets_without_clock != 0)
    out << "; " << with_commas(c.packets_without_clock) << " packets stamped before any snapshot";
  out << '\n';
  if (c.clocks.empty()) return;
  text_table table(
      {"clock", ">readings", ">first reading", ">span", ">stamped packets", ">samples", ">stamps span"});
  for (auto const& k : c.clocks)
    table.add({machine_prefix(k.machine) + clock_text(k.id, k.sequence), with_commas(k.readings),
               k.readings == 0 ? "-" : with_commas(k.first),
               k.readings == 0 ? "-" : span_text(k.id, k.first, k.last), with_commas(k.packets),
               with_commas(k.samples), k.packets == 0 ? "-" : span_text(k.id, k.earliest, k.latest)});
  table.print(out, cap_of(o));
  print_events(out, c.suspends, c.suspend_count, false, o);
  print_events(out, c.realtime_steps, c.step_count, true, o);
  if (o.all) print_snapshots(out, c);
}

}  // namespace profile_relay::server
