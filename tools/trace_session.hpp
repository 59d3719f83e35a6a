#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "proto/trace.pb.h"

namespace profile_relay::trace_maker {

struct module {
  std::string path;      ///< absolute, as /proc/<pid>/maps has it
  std::string build_id;  ///< raw bytes; empty for what is not ELF
  std::uint64_t start = 0;
  std::uint64_t end = 0;
  std::uint64_t exact_offset = 0;
  std::uint64_t start_offset = 0;
  std::uint64_t load_bias = 0;
};

struct code_location {
  std::string function;
  std::uint32_t module = 0;  ///< index into program::modules
  std::uint64_t rel_pc = 0;
};

/// What there is to sample. Stacks are lists of indices into `locations`, outermost first.
struct program {
  std::vector<module> modules;
  std::vector<code_location> locations;
};

struct sample_event {
  std::int64_t at_ns = 0;  ///< since the start of the capture
  std::uint32_t cpu = 0;
  std::uint32_t tid = 0;
  bool unwind_failed = false;
};

/// Puts samples in the order in which traced_perf writes them: every 100 ms it drains the buffers of CPU 0,
/// 1, 2, ... one after the other, so times step back at each CPU.
void sort_as_drained(std::vector<sample_event>& samples);

/// Writes a trace as Android's ProfilingManager has it written: the service's snapshots on sequence 1, and
/// one traced_perf sequence that interns names, mappings, frames and callstacks when they are first used.
class session {
 public:
  /// `now_seconds` is REALTIME at the end of the capture, which lasts `span_ns`.
  session(program const& code, std::uint32_t pid, std::int64_t now_seconds, std::int64_t span_ns,
          std::uint32_t frequency_hz);

  /// All clocks at `at_ns` since the start; call with 0 first and then every ten seconds.
  void clock_snapshot(std::int64_t at_ns);
  void process_tree(std::string const& cmdline,
                    std::vector<std::pair<std::uint32_t, std::string>> const& threads);
  void thread_track(std::uint32_t tid, std::string const& name);
  /// Starts the profiler's sequence: cleared state, defaults, the fixed empty strings.
  void start_profiler();
  /// One sample; `stack_key` names the stack `frames` (the same key always means the same frames).
  void sample(sample_event const& event, std::uint64_t stack_key, std::vector<std::uint32_t> const& frames);

  std::string take_bytes() { return std::move(bytes_); }
  std::size_t frames() const { return frame_iids_.size(); }
  std::size_t stacks() const { return stack_iids_.size(); }

 private:
  perfetto::protos::TracePacket& packet(std::uint32_t sequence, std::int32_t producer_pid);
  void write();
  std::uint64_t intern_string(std::string const& text, std::unordered_map<std::string, std::uint64_t>& table,
                              google::protobuf::RepeatedPtrField<perfetto::protos::InternedString>& into);
  std::uint64_t intern_module(std::uint32_t index, perfetto::protos::InternedData& into);
  std::uint64_t intern_frame(std::uint32_t index, perfetto::protos::InternedData& into);
  std::uint64_t intern_stack(std::uint64_t key, std::vector<std::uint32_t> const& frames, bool unwind_failed,
                             perfetto::protos::TracePacket& into);

  program const& code_;
  std::uint32_t pid_;
  std::int64_t start_realtime_ns_;
  std::uint32_t frequency_hz_;
  perfetto::protos::Trace trace_;  // the packet being written
  std::string bytes_;
  // traced_perf counts strings of all three tables together, and everything else by kind.
  std::uint64_t last_string_ = 0;
  std::unordered_map<std::string, std::uint64_t> function_iids_, path_iids_, build_iids_;
  std::unordered_map<std::uint32_t, std::uint64_t> module_iids_, frame_iids_;
  std::unordered_map<std::uint64_t, std::uint64_t> stack_iids_;
  std::vector<std::uint64_t> counts_;  // timebase_count, per CPU
};

}  // namespace profile_relay::trace_maker
