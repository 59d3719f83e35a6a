#include "tests/fuzz/trace_checks.hpp"

#include <algorithm>

#include "tests/fuzz/check.hpp"

namespace profile_relay::fuzz {
namespace pd = perfetto_decode;

pd::limits limits_of(std::byte choice) {
  auto const bits = std::to_integer<unsigned>(choice);
  unsigned const step = bits >> 3;  // 0 to 31
  pd::limits lim;
  if (step == 0) return lim;
  switch (bits & 7u) {
    case 0:
      lim.packet_bytes = step * 16;
      break;
    case 1:
      lim.packets = step;
      break;
    case 2:
      lim.samples = step;
      break;
    case 3:
      lim.callstack_depth = lim.path_components = step - 1;
      break;
    case 4:
      lim.frames = lim.sequences = step;
      break;
    case 5:
      lim.inflated_bytes = step * 64;
      break;
    case 6:
      lim.working_bytes = step * 512;
      break;
    default:
      lim.result_bytes = step * 128;
  }
  return lim;
}

namespace {

/// Reads every byte, so that a view that has outlived its bytes is found by the sanitizer.
void touch(std::string_view s) {
  volatile unsigned sum = 0;
  for (char const c : s) sum = sum + static_cast<unsigned char>(c);
}

void check_sample(pd::decoded_trace const& t, pd::sample const& s, pd::sample const* previous) {
  FUZZ_CHECK(s.stack < t.stacks.size(), "a sample's stack");
  FUZZ_CHECK(s.task < t.tasks.size(), "a sample's task");
  FUZZ_CHECK(s.has_trace_time || s.has_wall_time, "a sample without any time was emitted");
  if (previous == nullptr) return;
  // Those without a trace time come last, by their wall time.
  FUZZ_CHECK(previous->has_trace_time || !s.has_trace_time, "a trace time behind a sample without one");
  if (s.has_trace_time)
    FUZZ_CHECK(previous->trace_time <= s.trace_time, "samples out of order");
  else if (!previous->has_trace_time)
    FUZZ_CHECK(previous->wall_time <= s.wall_time, "samples out of order by wall time");
}

}  // namespace

void check_decoded(pd::decoded_trace const& t, pd::limits const& lim) {
  FUZZ_CHECK(t.packets < lim.packets, "packets");
  FUZZ_CHECK(t.sample_records < lim.samples, "samples");
  FUZZ_CHECK(t.samples.size() <= t.sample_records, "more samples than records");
  FUZZ_CHECK(t.frames.size() <= lim.frames, "frames");

  for (auto const& m : t.mappings) {
    touch(m.name);
    touch(m.build_id);
  }
  for (auto const& l : t.lines) {
    touch(l.function);
    touch(l.source_file);
  }
  for (auto const& f : t.frames) {
    touch(f.function);
    touch(f.kind_text);
    FUZZ_CHECK(f.mapping == pd::none || f.mapping < t.mappings.size(), "a frame's mapping");
    FUZZ_CHECK(f.first_line <= t.lines.size() && f.line_count <= t.lines.size() - f.first_line,
               "a frame's lines");
  }
  std::uint64_t entries = 0;
  for (auto const& s : t.stacks) {
    for (auto const index : s.frames()) FUZZ_CHECK(index < t.frames.size(), "a stack's frame");
    FUZZ_CHECK(s.count <= lim.callstack_depth, "a stack's depth");
    entries += s.count;
  }
  FUZZ_CHECK(entries == t.stack_frames, "the number of stack entries");
  for (auto const& k : t.tasks) {
    touch(k.thread_name);
    touch(k.process_name);
    touch(k.executable);
  }
  pd::sample const* previous = nullptr;
  for (auto const& s : t.samples) {
    check_sample(t, s, previous);
    previous = &s;
  }
}

}  // namespace profile_relay::fuzz
