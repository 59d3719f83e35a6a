#include "server/io/cmd_inspect_json.hpp"

#include <ostream>
#include <span>
#include <utility>

#include "server/core/reason.hpp"

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
  for (std::uint32_t i = 0; i < st.count; ++i) stack.push_back(frame_json(t, t.frames[st.frames()[i]]));
  return out;
}

json tasks_json(decoded_trace const& t) {
  // In the order of the decoder: tools compare it.
  std::vector<std::uint64_t> per_task(t.tasks.size());
  for (auto const& s : t.samples)
    if (s.task != none) ++per_task[s.task];
  auto threads = json::array();
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
  return threads;
}

json processes_json(decoded_trace const& t) {
  auto out = json::array();
  for (auto const& p : samples_by_process(t)) {
    json row{{"samples", p.samples}, {"threads", p.threads}};
    if (p.has_pid) row["pid"] = p.pid;
    if (p.machine != 0) row["machine"] = p.machine;
    row["name"] = p.name;
    out.push_back(std::move(row));
  }
  return out;
}

json images_json(std::vector<profile::sample_v2::image> const& images) {
  auto out = json::array();
  for (auto const& i : images)
    out.push_back({{"code_file", i.code_file.text()},
                   {"debug_id", i.debug_id.text()},
                   {"image_addr", i.image_addr.value_or(0)},
                   {"image_vmaddr", i.image_vmaddr.value_or(0)},
                   {"image_size", i.image_size}});
  return out;
}

void add_counters(json& out, inspection const& i) {
  auto& counts = out["counters"] = json::object();
  auto& unwind = out["unwind_errors"] = json::object();
  if (!i.trace) return;
  auto const& c = i.trace->counts;
  for (auto const& row : counter_table())
    if (c[row.id] != 0) counts[std::string(row.name)] = c[row.id];
  for (auto const& [name, n] : unwind_errors(c)) unwind[std::string(name)] = n;
  if (c[counter::packet_corrupt] + c[counter::bundle_corrupt] > 0) out["corrupt_offset"] = c.corrupt_offset;
  if (c[counter::realtime_step_back] > 0) out["realtime_step_back_ns"] = c.realtime_step_back_ns;
}

void add_decoded(json& out, decoded_trace const& t) {
  out["stacks"] = t.stacks.size();
  out["frames"] = t.frames.size();
  out["mappings"] = t.mappings.size();
  out["threads"] = tasks_json(t);
  out["processes"] = processes_json(t);
  if (auto const range = wall_range(t)) out["wall_time"] = {range->first, range->second};
}

}  // namespace

json rejection_json(profile::error const& e) {
  return {{"reason", row_of(to_reason(e.code)).name},
          {"cause", e.cause},
          {"detail", e.what},
          {"offset", e.offset}};
}

void print_inspection_json(std::ostream& to, inspection const& i, bool samples) {
  auto const* const t = i.trace ? &*i.trace : nullptr;
  json out{{"bytes", i.bytes},
           {"verdict", i.verdict.text},
           {"verdict_code", i.verdict.code},
           {"advice", i.verdict.advice},
           {"packets", t != nullptr ? t->packets : i.survey.packets},
           {"sample_records", t != nullptr ? t->sample_records : i.survey.samples.total()},
           {"usable_samples", t != nullptr ? t->samples.size() : 0},
           {"sent_samples", i.rejection ? 0 : i.chunk.samples.size()},
           {"clock_snapshots", t != nullptr ? t->has_clock_snapshot : i.survey.clocks.snapshot_count != 0}};
  if (i.rejection) out["error"] = rejection_json(*i.rejection);
  decoded_trace const nothing;
  add_decoded(out, t != nullptr ? *t : nothing);
  out["images"] = images_json(i.chunk.images);
  out["images_without_range"] = i.conversion.image_without_range;
  out["images_without_build_id"] = i.conversion.image_without_build_id;
  add_counters(out, i);
  out["single_sample_thread"] = i.single_sample_thread;
  add_survey_json(out, i.survey);
  auto const text = [](json const& j, int indent) {
    return j.dump(indent, ' ', false, json::error_handler_t::replace);
  };
  auto const document = text(out, 1);
  if (!samples) {
    to << document << '\n';
    return;
  }
  // One by one: all samples of a large trace, each with its stack, would take gigabytes as one value.
  to << document.substr(0, document.rfind('\n')) << ",\n \"samples\": [";
  for (bool first = true;
       auto const& s : t != nullptr ? std::span<const sample>(t->samples) : std::span<const sample>()) {
    to << (std::exchange(first, false) ? "\n  " : ",\n  ") << text(sample_json(*t, s), -1);
  }
  to << "\n ]\n}\n";
}

}  // namespace profile_relay::server
