#include <algorithm>
#include <array>
#include <ctime>
#include <iomanip>
#include <iostream>
#include <map>
#include <sstream>

#include "server/io/cmd_files.hpp"
#include "server/io/cmd_inspect_json.hpp"

namespace profile_relay::server {

namespace {

using namespace perfetto_decode;

std::string utc(std::int64_t ns) {
  std::time_t const seconds = ns / 1'000'000'000;
  std::tm tm{};
  gmtime_r(&seconds, &tm);
  char text[32];
  auto const n = std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &tm);
  return {text, n};
}

void print_row(std::string_view name, std::string const& value) {
  std::cout << std::left << std::setw(18) << name << value << '\n';
}

/// What a person should conclude, before all numbers.
std::string verdict(decoded_trace const& t) {
  if (t.sample_records == 0)
    return "EMPTY: the trace has packets but not one CPU sample; was a sampling data source running?";
  if (t.samples.empty())
    return "NOTHING USABLE: it has samples, but none with a stack and a CPU timebase; see the counters";
  bool const wall = std::ranges::any_of(t.samples, &sample::has_wall_time);
  if (!wall)
    return "NO WALL CLOCK: no sample can be placed in time; the trace lacks a ClockSnapshot with REALTIME";
  if (t.counts.any_loss()) return "usable, with losses; see the counters";
  return "usable";
}

std::string time_span(decoded_trace const& t) {
  std::int64_t first = 0, last = 0;
  bool any = false;
  for (auto const& s : t.samples) {
    if (!s.has_wall_time) continue;
    first = any ? std::min(first, s.wall_time) : s.wall_time;
    last = any ? std::max(last, s.wall_time) : s.wall_time;
    any = true;
  }
  if (!any) return "unknown: no sample has a wall clock";
  std::ostringstream out;
  out << utc(first) << " to " << utc(last) << " UTC, " << std::fixed << std::setprecision(3)
      << static_cast<double>(last - first) / 1e9 << " s";
  return out.str();
}

void print_tasks(decoded_trace const& t) {
  std::map<std::uint32_t, std::uint64_t> per_task;
  for (auto const& s : t.samples)
    if (s.task != none) ++per_task[s.task];
  std::vector<std::pair<std::uint32_t, std::uint64_t>> rows(per_task.begin(), per_task.end());
  std::ranges::stable_sort(rows, std::greater{}, &std::pair<std::uint32_t, std::uint64_t>::second);
  std::cout << "\nthreads: " << rows.size() << "\n  " << std::right << std::setw(9) << "samples"
            << std::setw(9) << "pid" << std::setw(9) << "tid"
            << "  name\n";
  for (auto const& [index, count] : rows) {
    auto const& task = t.tasks[index];
    std::cout << "  " << std::right << std::setw(9) << count << std::setw(9)
              << (task.has_pid ? std::to_string(task.pid) : "-") << std::setw(9)
              << (task.has_tid ? std::to_string(task.tid) : "-") << "  "
              << (!task.thread_name.empty()                              ? printable(task.thread_name)
                  : task.has_pid && task.has_tid && task.pid == task.tid ? "main"
                                                                         : "-");
    if (!task.process_name.empty()) std::cout << " (" << printable(task.process_name) << ")";
    if (task.machine != 0) std::cout << " on machine " << task.machine;
    std::cout << '\n';
  }
}

void print_counters(counters const& c) {
  std::cout << "\ncounters\n";
  bool any = false;
  for (auto const& row : counter_table()) {
    if (c[row.id] == 0) continue;
    any = true;
    std::cout << "  " << std::right << std::setw(9) << c[row.id] << "  " << std::left << std::setw(6)
              << (row.level == severity::loss ? "loss" : "info") << ' ' << row.name << ": " << row.meaning
              << '\n';
  }
  if (!any) std::cout << "  all zero: nothing was lost\n";
  if (c[counter::packet_corrupt] + c[counter::bundle_corrupt] > 0)
    std::cout << "  the damage begins at byte " << c.corrupt_offset << '\n';
  if (c[counter::realtime_step_back] > 0)
    std::cout << "  the largest step back of the wall clock is " << c.realtime_step_back_ns << " ns\n";
}

void print_samples(decoded_trace const& t) {
  std::cout << "\nsamples, leaf first\n";
  for (auto const& s : t.samples) {
    std::cout << (s.has_trace_time ? std::to_string(s.trace_time) : "-") << " tid "
              << (s.task != none && t.tasks[s.task].has_tid ? std::to_string(t.tasks[s.task].tid) : "-")
              << ' ';
    auto const& st = t.stacks[s.stack];
    for (std::uint32_t i = 0; i < st.count; ++i) {
      auto const& f = t.frames[t.stack_frames[st.first + i]];
      std::cout << (i == 0 ? "" : " < ") << (f.function.empty() ? "?" : printable(f.function));
    }
    std::cout << '\n';
  }
}

void print_text(std::string const& file, std::size_t bytes, decoded_trace const& t, bool samples) {
  std::array<std::uint64_t, 3> by_source{};
  for (auto const& s : t.samples) ++by_source[static_cast<std::size_t>(s.source)];
  print_row("trace", file + ", " + std::to_string(bytes) + " bytes");
  print_row("verdict", verdict(t));
  print_row("packets", std::to_string(t.packets));
  print_row("sample records", std::to_string(t.sample_records));
  print_row("usable samples", std::to_string(t.samples.size()) + " (PerfSample " +
                                  std::to_string(by_source[0]) + ", StreamingProfilePacket " +
                                  std::to_string(by_source[1]) + ", StackSample " +
                                  std::to_string(by_source[2]) + ")");
  print_row("time", time_span(t));
  print_row("clock snapshots", t.has_clock_snapshot ? "yes" : "none");
  print_row("distinct", std::to_string(t.stacks.size()) + " stacks, " + std::to_string(t.frames.size()) +
                            " frames, " + std::to_string(t.mappings.size()) + " mappings");
  print_tasks(t);
  print_counters(t.counts);
  if (samples) print_samples(t);
}

}  // namespace

std::string printable(std::string_view text) {
  std::string out;
  for (char c : text) out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
  return out;
}

int cmd_inspect(inspect_arguments const& a) {
  auto const bytes = read_input(a.file);
  if (!bytes) return 1;
  auto const trace = decode(std::as_bytes(std::span(*bytes)));
  if (!trace) {
    return fail(a.file + " is no readable trace: " + trace.error().what + " (byte " +
                std::to_string(trace.error().offset) + ")");
  }
  if (a.json)
    std::cout << inspect_json(bytes->size(), *trace, a.samples) << '\n';
  else
    print_text(a.file, bytes->size(), *trace, a.samples);
  return 0;
}

}  // namespace profile_relay::server
