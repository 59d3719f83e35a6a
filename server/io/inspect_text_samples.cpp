// What the decoder and the converter make of the trace: samples, processes, threads, images.
#include <algorithm>
#include <array>
#include <ctime>
#include <ostream>

#include "server/io/inspect_text.hpp"
#include "server/io/text_table.hpp"

namespace profile_relay::server {

namespace {

using namespace perfetto_decode;

constexpr std::size_t row_cap = 20;

std::string utc(std::int64_t ns) {
  std::time_t const at = ns / 1'000'000'000;
  std::tm tm{};
  gmtime_r(&at, &tm);
  char text[32];
  auto const n = std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &tm);
  return {text, n};
}

std::string hex(std::uint64_t v) {
  char text[24];
  std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(v));
  return text;
}

void print_kinds(std::ostream& out, sample_survey const& s) {
  text_table table({">number", "kind"});
  auto const add = [&](std::uint64_t n, std::string what) {
    if (n != 0) table.add({with_commas(n), std::move(what)});
  };
  add(s.perf_with_stack, "PerfSample with a stack");
  add(s.perf_without_stack, "PerfSample without a stack");
  add(s.streaming_samples, "StreamingProfilePacket, in " + with_commas(s.streaming_packets) + " packets");
  add(s.stack_samples_with_stack, "StackSample with a stack");
  add(s.stack_samples_without_stack, "StackSample without a stack");
  add(s.perf_skip_reasons, "of these: the profiler says that it skipped them");
  add(s.perf_loss_reports, "no samples, but reports of records that the kernel lost");
  add(s.perf_producer_events, "no samples, but events of the profiler itself");
  add(s.skipped_packets, "sample packets skipped: the interned state of their sequence is lost");
  if (!table.empty()) table.print(out, 0);
}

void print_tasks(std::ostream& out, decoded_trace const& t, inspect_options const& o) {
  auto const cap = o.all ? 0 : row_cap;
  auto const pid_text = [](bool has, std::int64_t v) { return has ? std::to_string(v) : std::string("-"); };
  auto const processes = samples_by_process(t);
  out << "\nprocesses: " << with_commas(processes.size()) << '\n';
  text_table by_process({">samples", ">threads", ">pid", "name"});
  for (auto const& p : processes)
    by_process.add({with_commas(p.samples), with_commas(p.threads), pid_text(p.has_pid, p.pid),
                    (p.name.empty() ? "-" : printable(p.name)) +
                        (p.machine == 0 ? "" : " on machine " + std::to_string(p.machine))});
  by_process.print(out, cap);
  auto const tasks = samples_by_task(t);
  out << "\nthreads: " << with_commas(tasks.size()) << '\n';
  text_table by_thread({">samples", ">pid", ">tid", "name", "process"});
  for (auto const& row : tasks) {
    auto const& task = t.tasks[row.task];
    bool const main = task.has_pid && task.has_tid && task.pid == task.tid;
    by_thread.add({with_commas(row.samples), pid_text(task.has_pid, task.pid),
                   pid_text(task.has_tid, task.tid),
                   (!task.thread_name.empty() ? printable(task.thread_name)
                    : main                    ? "main"
                                              : "-") +
                       (task.machine == 0 ? "" : " on machine " + std::to_string(task.machine)),
                   printable(task.process_name)});
  }
  by_thread.print(out, cap);
}

}  // namespace

void print_samples(std::ostream& out, inspection const& i, inspect_options const& o) {
  out << "\nsamples: " << with_commas(i.survey.samples.total());
  if (i.trace)
    out << " in the trace, " << with_commas(i.trace->samples.size()) << " usable, "
        << with_commas(i.rejection ? 0 : i.chunk.samples.size()) << " sent";
  out << '\n';
  print_kinds(out, i.survey.samples);
  if (!i.trace) return;
  auto const& t = *i.trace;
  if (auto const range = wall_range(t)) {
    // Hostile clocks may lie further apart than their type can say.
    std::int64_t length = 0;
    if (__builtin_sub_overflow(range->second, range->first, &length)) length = INT64_MAX;
    out << "  from " << utc(range->first) << " to " << utc(range->second) << " UTC, " << seconds(length)
        << '\n';
  }
  if (t.samples.empty()) return;
  out << "  distinct: " << with_commas(t.stacks.size()) << " stacks, " << with_commas(t.frames.size())
      << " frames, " << with_commas(t.mappings.size()) << " mappings\n";
  print_tasks(out, t, o);
}

void print_images(std::ostream& out, inspection const& i, inspect_options const& o) {
  auto const& images = i.chunk.images;
  if (images.empty() && i.trace->mappings.empty()) return;
  out << "\nimages: " << with_commas(images.size());
  if (i.conversion.image_without_range != 0)
    out << "; " << with_commas(i.conversion.image_without_range) << " mappings have no address range";
  if (i.conversion.image_without_build_id != 0)
    out << "; " << with_commas(i.conversion.image_without_build_id) << " have no build id";
  out << '\n';
  if (images.empty()) return;
  text_table table({">address", ">size", "debug id", "file"});
  for (auto const& image : images)
    table.add({hex(image.image_addr.value_or(0)), with_commas(image.image_size),
               std::string(image.debug_id.text()), printable(image.code_file.text())});
  table.print(out, o.all ? 0 : row_cap);
}

}  // namespace profile_relay::server
