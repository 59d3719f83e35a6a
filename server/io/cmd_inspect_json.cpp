#include "server/io/cmd_inspect_json.hpp"

#include <nlohmann/json.hpp>

namespace profile_relay::server {

namespace {

using namespace perfetto_decode;
using json = nlohmann::ordered_json;

std::string_view kind_name(frame const& f) {
  switch (f.kind) {
    case frame_kind::native:
      return "native";
    case frame_kind::kernel:
      return "kernel";
    case frame_kind::interpreted:
      return "interpreted";
    case frame_kind::jit:
      return "jit";
    case frame_kind::gc:
      return "gc";
    case frame_kind::runtime:
      return "runtime";
    case frame_kind::other:
      return f.kind_text;
    case frame_kind::unset:
      break;
  }
  return {};
}

std::string_view source_name(sample_source s) {
  switch (s) {
    case sample_source::perf_sample:
      return "perf_sample";
    case sample_source::streaming_profile:
      return "streaming_profile";
    case sample_source::stack_sample:
      return "stack_sample";
  }
  return {};
}

/// A Breakpad id is text already.
std::string build_id_text(std::string_view id) {
  if (id.size() == 33) return std::string(id);
  constexpr char digits[] = "0123456789abcdef";
  std::string out;
  for (char c : id) {
    auto const b = static_cast<unsigned char>(c);
    out += digits[b >> 4];
    out += digits[b & 15];
  }
  return out;
}

json frame_json(decoded_trace const& t, frame const& f) {
  json out;
  out["function"] = f.function.empty() ? json(nullptr) : json(f.function);
  out["rel_pc"] = f.rel_pc;
  if (f.mapping != none) {
    auto const& m = t.mappings[f.mapping];
    out["mapping"] = m.name;
    out["build_id"] = build_id_text(m.build_id);
    out["start"] = m.start;
    out["end"] = m.end;
    out["exact_offset"] = m.exact_offset;
    out["start_offset"] = m.start_offset;
    out["load_bias"] = m.load_bias;
  }
  if (auto const kind = kind_name(f); !kind.empty()) out["kind"] = kind;
  for (std::uint32_t i = 0; i < f.line_count; ++i) {
    auto const& line = t.lines[f.first_line + i];
    out["lines"].push_back({{"function", line.function}, {"file", line.source_file}, {"line", line.line}});
  }
  return out;
}

json sample_json(decoded_trace const& t, sample const& s) {
  json out;
  if (s.has_trace_time) out["trace_time"] = s.trace_time;
  if (s.has_wall_time) out["wall_time"] = s.wall_time;
  out["source"] = source_name(s.source);
  if (s.task != none) {
    auto const& task = t.tasks[s.task];
    if (task.has_pid) out["pid"] = task.pid;
    if (task.has_tid) out["tid"] = task.tid;
    if (task.machine != 0) out["machine"] = task.machine;
    if (!task.thread_name.empty()) out["thread"] = task.thread_name;
    if (!task.process_name.empty()) out["process"] = task.process_name;
  }
  auto& stack = out["stack"] = json::array();
  if (s.stack == none) return out;
  auto const& st = t.stacks[s.stack];
  for (std::uint32_t i = 0; i < st.count; ++i)
    stack.push_back(frame_json(t, t.frames[t.stack_frames[st.first + i]]));
  return out;
}

}  // namespace

std::string inspect_json(std::size_t bytes, decoded_trace const& t, bool samples) {
  json out{{"bytes", bytes},
           {"packets", t.packets},
           {"sample_records", t.sample_records},
           {"usable_samples", t.samples.size()},
           {"clock_snapshots", t.has_clock_snapshot},
           {"stacks", t.stacks.size()},
           {"frames", t.frames.size()},
           {"mappings", t.mappings.size()}};
  std::vector<std::uint64_t> per_task(t.tasks.size());
  for (auto const& s : t.samples)
    if (s.task != none) ++per_task[s.task];
  auto& threads = out["threads"] = json::array();
  for (std::size_t i = 0; i < t.tasks.size(); ++i) {
    if (per_task[i] == 0) continue;
    auto const& task = t.tasks[i];
    json row{{"samples", per_task[i]}};
    if (task.has_pid) row["pid"] = task.pid;
    if (task.has_tid) row["tid"] = task.tid;
    if (task.machine != 0) row["machine"] = task.machine;
    row["name"] = task.thread_name;
    row["process"] = task.process_name;
    threads.push_back(std::move(row));
  }
  auto& counts = out["counters"] = json::object();
  for (auto const& row : counter_table())
    if (t.counts[row.id] != 0) counts[std::string(row.name)] = t.counts[row.id];
  if (t.counts[counter::packet_corrupt] + t.counts[counter::bundle_corrupt] > 0)
    out["corrupt_offset"] = t.counts.corrupt_offset;
  if (samples) {
    auto& list = out["samples"] = json::array();
    for (auto const& s : t.samples) list.push_back(sample_json(t, s));
  }
  return out.dump(1, ' ', false, json::error_handler_t::replace);
}

}  // namespace profile_relay::server
