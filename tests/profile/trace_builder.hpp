#pragma once

#include <deque>
#include <initializer_list>
#include <map>
#include <string>
#include <vector>

#include "perfetto_decode/decoded_trace.hpp"

/// Builds decoded traces by hand. Texts may be temporaries: the builder keeps them.
class trace_builder {
 public:
  static constexpr std::int64_t start = 1'790'000'000'000'000'000;

  profile_relay::perfetto_decode::decoded_trace trace;

  trace_builder() { trace.has_clock_snapshot = true; }

  std::string_view keep(std::string text) { return texts_.emplace_back(std::move(text)); }

  /// A mapping at 0x1000 to 0x2000, unless changed afterwards.
  std::uint32_t mapping(std::string name, std::string build_id = "") {
    profile_relay::perfetto_decode::mapping m;
    m.name = keep(std::move(name));
    m.name_id = text_id(m.name);
    m.build_id = keep(std::move(build_id));
    m.start = 0x1000;
    m.end = 0x2000;
    trace.mappings.push_back(m);
    return static_cast<std::uint32_t>(trace.mappings.size() - 1);
  }

  std::uint32_t frame(std::string function,
                      std::uint32_t mapping_index = profile_relay::perfetto_decode::none,
                      std::uint64_t rel_pc = 0) {
    profile_relay::perfetto_decode::frame f;
    f.function = keep(std::move(function));
    f.function_id = text_id(f.function);
    f.mapping = mapping_index;
    f.rel_pc = rel_pc;
    trace.frames.push_back(f);
    return static_cast<std::uint32_t>(trace.frames.size() - 1);
  }

  /// Gives the last frame one more symbol line.
  void line(std::string function, std::string file, std::uint32_t number) {
    auto& f = trace.frames.back();
    if (f.line_count++ == 0) f.first_line = static_cast<std::uint32_t>(trace.lines.size());
    auto const name = keep(std::move(function)), path = keep(std::move(file));
    trace.lines.push_back({name, path, number, text_id(name), text_id(path)});
  }

  /// Leaf first.
  std::uint32_t stack(std::initializer_list<std::uint32_t> frames) {
    auto const& kept = stacks_.emplace_back(frames);
    trace.stacks.push_back({kept.data(), static_cast<std::uint32_t>(kept.size())});
    trace.stack_frames += kept.size();
    return static_cast<std::uint32_t>(trace.stacks.size() - 1);
  }

  std::uint32_t task(std::int64_t pid, std::int64_t tid, std::string name = "", std::uint32_t machine = 0) {
    profile_relay::perfetto_decode::task t;
    t.machine = machine;
    t.pid = pid;
    t.tid = tid;
    t.has_pid = t.has_tid = true;
    t.thread_name = keep(std::move(name));
    trace.tasks.push_back(t);
    return static_cast<std::uint32_t>(trace.tasks.size() - 1);
  }

  /// `ns` after the start, in wall and trace time.
  profile_relay::perfetto_decode::sample& sample(std::int64_t ns, std::uint32_t stack_index,
                                                 std::uint32_t task_index) {
    profile_relay::perfetto_decode::sample s;
    s.trace_time = ns;
    s.wall_time = start + ns;
    s.stack = stack_index;
    s.task = task_index;
    s.has_trace_time = s.has_wall_time = true;
    trace.samples.push_back(s);
    ++trace.sample_records;
    return trace.samples.back();
  }

 private:
  std::uint32_t text_id(std::string_view text) {
    return text.empty() ? 0
                        : ids_.try_emplace(std::string(text), static_cast<std::uint32_t>(ids_.size() + 1))
                              .first->second;
  }

  std::deque<std::string> texts_;
  std::deque<std::vector<std::uint32_t>> stacks_;
  std::map<std::string, std::uint32_t> ids_;
};
