#include "dump.hpp"

#include <cstdio>
#include <string>

namespace profile_relay::perfetto_decode::testing {
namespace {

std::string build_id_text(std::string_view raw) {
  if (raw.size() == 33) return std::string(raw);
  std::string hex;
  for (char const c : raw) {
    char two[3];
    std::snprintf(two, sizeof two, "%02x", static_cast<unsigned>(static_cast<unsigned char>(c)));
    hex += two;
  }
  return hex;
}

std::string kind_text(frame const& f) {
  switch (f.kind) {
    case frame_kind::unset:
      return {};
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
      break;
  }
  return std::string(f.kind_text);
}

nlohmann::json dump_frame(decoded_trace const& t, frame const& f) {
  auto j = nlohmann::json::object();
  if (!f.function.empty()) j["function"] = f.function;
  if (!kind_text(f).empty()) j["kind"] = kind_text(f);
  if (f.of_runtime) j["of_runtime"] = true;
  if (f.mapping != none) {
    auto const& m = t.mappings[f.mapping];
    j["mapping"] = m.name;
    j["rel_pc"] = f.rel_pc;
    if (!m.build_id.empty()) j["build_id"] = build_id_text(m.build_id);
    if (m.has_range()) j["pc"] = m.pc(f.rel_pc);
    for (auto const& [key, v] : {std::pair{"start", m.start},
                                 {"end", m.end},
                                 {"load_bias", m.load_bias},
                                 {"exact_offset", m.exact_offset},
                                 {"start_offset", m.start_offset}})
      if (v != 0) j[key] = v;
  }
  for (std::uint32_t i = 0; i < f.line_count; ++i) {
    auto const& l = t.lines[f.first_line + i];
    nlohmann::json line;
    if (!l.function.empty()) line["function"] = l.function;
    if (!l.source_file.empty()) line["file"] = l.source_file;
    if (l.line != 0) line["line"] = l.line;
    j["lines"].push_back(line.is_null() ? nlohmann::json::object() : line);
  }
  return j;
}

}  // namespace

nlohmann::json dump(decoded_trace const& t) {
  auto samples = nlohmann::json::array();
  for (auto const& s : t.samples) {
    nlohmann::json j;
    if (s.has_trace_time) j["trace_time"] = s.trace_time;
    if (s.has_wall_time) j["wall_time"] = s.wall_time;
    auto const& task = t.tasks[s.task];
    if (task.machine != 0) j["machine"] = task.machine;
    if (task.has_pid) j["pid"] = task.pid;
    if (task.has_tid) j["tid"] = task.tid;
    if (!task.thread_name.empty()) j["thread"] = task.thread_name;
    if (!task.process_name.empty()) j["process"] = task.process_name;
    auto stack = nlohmann::json::array();
    for (auto const f : t.stacks[s.stack].frames()) stack.push_back(dump_frame(t, t.frames[f]));
    j["stack"] = stack;
    samples.push_back(j);
  }
  auto counts = nlohmann::json::object();
  for (auto const& row : counter_table())
    if (t.counts[row.id] != 0) counts[std::string(row.name)] = t.counts[row.id];
  return {{"samples", samples}, {"counters", counts}};
}

}  // namespace profile_relay::perfetto_decode::testing
