#include "tools/trace_session.hpp"

#include <algorithm>
#include <limits>
#include <tuple>

namespace profile_relay::trace_maker {
namespace {

constexpr std::uint32_t service_sequence = 1;
constexpr std::uint32_t tree_sequence = 2;
constexpr std::uint32_t profiler_sequence = 3;
constexpr std::int32_t service_pid = 1021;
constexpr std::int32_t tree_pid = 1034;
constexpr std::int32_t profiler_pid = 1047;
constexpr std::int32_t trusted_uid = 9999;

// Readings at the start of the capture: the device has slept for two of the three days since it booted.
constexpr std::int64_t start_boottime = 259'200'431'007'311;
constexpr std::int64_t start_monotonic = 86'391'118'552'604;
constexpr std::int64_t start_monotonic_raw = 86'390'702'900'118;
constexpr std::int64_t drain_period_ns = 100'000'000;

// The only frame that is not part of the program: what traced_perf adds when unwinding ends early.
constexpr auto error_frame = std::numeric_limits<std::uint32_t>::max();

std::uint64_t unsigned_ns(std::int64_t ns) { return static_cast<std::uint64_t>(ns); }

}  // namespace

void sort_as_drained(std::vector<sample_event>& samples) {
  std::stable_sort(samples.begin(), samples.end(), [](sample_event const& a, sample_event const& b) {
    return std::tuple(a.at_ns / drain_period_ns, a.cpu, a.at_ns) <
           std::tuple(b.at_ns / drain_period_ns, b.cpu, b.at_ns);
  });
}

session::session(program const& code, std::uint32_t pid, std::int64_t now_seconds, std::int64_t span_ns,
                 std::uint32_t frequency_hz)
    : code_(code),
      pid_(pid),
      start_realtime_ns_(now_seconds * 1'000'000'000 - span_ns),
      frequency_hz_(frequency_hz) {}

perfetto::protos::TracePacket& session::packet(std::uint32_t sequence, std::int32_t producer_pid) {
  auto& p = *trace_.add_packet();
  p.set_trusted_uid(trusted_uid);
  p.set_trusted_pid(producer_pid);
  p.set_trusted_packet_sequence_id(sequence);
  return p;
}

void session::write() {
  trace_.AppendToString(&bytes_);
  trace_.Clear();
}

void session::clock_snapshot(std::int64_t at_ns) {
  auto& p = packet(service_sequence, service_pid);
  p.set_timestamp(unsigned_ns(start_boottime + at_ns));
  auto& snapshot = *p.mutable_clock_snapshot();
  auto const add = [&](perfetto::protos::BuiltinClock id, std::int64_t reading) {
    auto& clock = *snapshot.add_clocks();
    clock.set_clock_id(static_cast<std::uint32_t>(id));
    clock.set_timestamp(unsigned_ns(reading));
  };
  // The coarse clocks lag by up to one tick of the kernel's timer.
  add(perfetto::protos::BUILTIN_CLOCK_BOOTTIME, start_boottime + at_ns);
  add(perfetto::protos::BUILTIN_CLOCK_REALTIME_COARSE, start_realtime_ns_ + at_ns - 1'870'000);
  add(perfetto::protos::BUILTIN_CLOCK_MONOTONIC_COARSE, start_monotonic + at_ns - 1'870'000);
  add(perfetto::protos::BUILTIN_CLOCK_REALTIME, start_realtime_ns_ + at_ns);
  add(perfetto::protos::BUILTIN_CLOCK_MONOTONIC, start_monotonic + at_ns);
  add(perfetto::protos::BUILTIN_CLOCK_MONOTONIC_RAW, start_monotonic_raw + at_ns + at_ns / 120'000);
  snapshot.set_primary_trace_clock(perfetto::protos::BUILTIN_CLOCK_BOOTTIME);
  write();
}

void session::process_tree(std::string const& cmdline,
                           std::vector<std::pair<std::uint32_t, std::string>> const& threads) {
  auto& p = packet(tree_sequence, tree_pid);
  p.set_timestamp(unsigned_ns(start_boottime + 1'000'000));
  auto& process = *p.mutable_process_tree()->add_processes();
  process.set_pid(static_cast<std::int32_t>(pid_));
  process.set_ppid(843);
  process.add_cmdline(cmdline);
  process.set_uid(10'245);
  for (auto const& [tid, name] : threads) {
    auto& thread = *p.mutable_process_tree()->add_threads();
    thread.set_tid(static_cast<std::int32_t>(tid));
    thread.set_tgid(static_cast<std::int32_t>(pid_));
    thread.set_name(name);
  }
  write();
}

void session::thread_track(std::uint32_t tid, std::string const& name) {
  auto& p = packet(tree_sequence, tree_pid);
  p.set_timestamp(unsigned_ns(start_boottime + 1'100'000));
  auto& track = *p.mutable_track_descriptor();
  track.set_uuid(0x6f1d'0000'0000u + tid);
  track.mutable_thread()->set_pid(static_cast<std::int32_t>(pid_));
  track.mutable_thread()->set_tid(tid);
  track.mutable_thread()->set_thread_name(name);
  write();
}

void session::start_profiler() {
  auto& defaults = packet(profiler_sequence, profiler_pid);
  defaults.set_timestamp(unsigned_ns(start_boottime + 2'000'000));
  defaults.set_timestamp_clock_id(static_cast<std::uint32_t>(perfetto::protos::BUILTIN_CLOCK_BOOTTIME));
  defaults.set_sequence_flags(perfetto::protos::TracePacket::SEQ_INCREMENTAL_STATE_CLEARED);
  defaults.set_first_packet_on_sequence(true);
  defaults.set_previous_packet_dropped(perfetto::protos::TracePacket::DATA_LOSS_PRESENT);
  auto& packet_defaults = *defaults.mutable_trace_packet_defaults();
  packet_defaults.set_timestamp_clock_id(
      static_cast<std::uint32_t>(perfetto::protos::BUILTIN_CLOCK_MONOTONIC));
  auto& perf = *packet_defaults.mutable_perf_sample_defaults();
  perf.mutable_timebase()->set_frequency(frequency_hz_);
  perf.mutable_timebase()->set_counter(perfetto::protos::PerfEvents::SW_CPU_CLOCK);
  perf.mutable_timebase()->set_timestamp_clock(perfetto::protos::PerfEvents::PERF_CLOCK_MONOTONIC);
  perf.set_process_shard_count(1);
  perf.set_chosen_process_shard(0);

  auto& fixed = packet(profiler_sequence, profiler_pid);
  fixed.set_sequence_flags(perfetto::protos::TracePacket::SEQ_NEEDS_INCREMENTAL_STATE);
  auto& interned = *fixed.mutable_interned_data();
  for (auto* entry :
       {interned.add_build_ids(), interned.add_mapping_paths(), interned.add_function_names()}) {
    entry->set_iid(0);
    entry->set_str("");
  }
  build_iids_[""] = path_iids_[""] = function_iids_[""] = 0;
  write();
}

std::uint64_t session::intern_string(
    std::string const& text, std::unordered_map<std::string, std::uint64_t>& table,
    google::protobuf::RepeatedPtrField<perfetto::protos::InternedString>& into) {
  auto const [it, is_new] = table.try_emplace(text, last_string_ + 1);
  if (is_new) {
    auto& entry = *into.Add();
    entry.set_iid(++last_string_);
    entry.set_str(text);
  }
  return it->second;
}

std::uint64_t session::intern_module(std::uint32_t index, perfetto::protos::InternedData& into) {
  auto const [it, is_new] = module_iids_.try_emplace(index, module_iids_.size() + 1);
  if (!is_new) return it->second;
  static module const nowhere;  // the mapping of ERROR frames: no path, no build id, no range
  auto const& m = index == error_frame ? nowhere : code_.modules[index];
  auto const build_id = intern_string(m.build_id, build_iids_, *into.mutable_build_ids());
  std::vector<std::uint64_t> parts;
  for (std::size_t from = 0; from < m.path.size();) {
    auto const to = std::min(m.path.find('/', from), m.path.size());
    if (to > from)
      parts.push_back(
          intern_string(m.path.substr(from, to - from), path_iids_, *into.mutable_mapping_paths()));
    from = to + 1;
  }
  auto& entry = *into.add_mappings();
  entry.set_iid(it->second);
  entry.set_build_id(build_id);
  entry.set_exact_offset(m.exact_offset);
  entry.set_start_offset(m.start_offset);
  entry.set_start(m.start);
  entry.set_end(m.end);
  entry.set_load_bias(m.load_bias);
  for (auto part : parts) entry.add_path_string_ids(part);
  return it->second;
}

std::uint64_t session::intern_frame(std::uint32_t index, perfetto::protos::InternedData& into) {
  auto const [it, is_new] = frame_iids_.try_emplace(index, frame_iids_.size() + 1);
  if (!is_new) return it->second;
  auto const iid = it->second;
  bool const is_error = index == error_frame;
  auto const mapping = intern_module(is_error ? error_frame : code_.locations[index].module, into);
  auto const function = intern_string(is_error ? "ERROR MEMORY_INVALID" : code_.locations[index].function,
                                      function_iids_, *into.mutable_function_names());
  auto& entry = *into.add_frames();
  entry.set_iid(iid);
  entry.set_function_name_id(function);
  entry.set_mapping_id(mapping);
  entry.set_rel_pc(is_error ? 0 : code_.locations[index].rel_pc);
  return iid;
}

std::uint64_t session::intern_stack(std::uint64_t key, std::vector<std::uint32_t> const& frames,
                                    bool unwind_failed, perfetto::protos::TracePacket& into) {
  auto const [it, is_new] = stack_iids_.try_emplace(key, stack_iids_.size() + 1);
  if (!is_new) return it->second;
  auto& interned = *into.mutable_interned_data();
  std::vector<std::uint64_t> ids;
  if (unwind_failed) ids.push_back(intern_frame(error_frame, interned));
  for (auto frame : frames) ids.push_back(intern_frame(frame, interned));
  auto& entry = *interned.add_callstacks();
  entry.set_iid(it->second);
  for (auto id : ids) entry.add_frame_ids(id);
  return it->second;
}

void session::sample(sample_event const& event, std::uint64_t stack_key,
                     std::vector<std::uint32_t> const& frames) {
  auto& p = packet(profiler_sequence, profiler_pid);
  p.set_sequence_flags(perfetto::protos::TracePacket::SEQ_NEEDS_INCREMENTAL_STATE);
  p.set_timestamp(unsigned_ns(start_monotonic + event.at_ns));
  auto const stack =
      intern_stack(event.unwind_failed ? ~stack_key : stack_key, frames, event.unwind_failed, p);
  auto& s = *p.mutable_perf_sample();
  s.set_cpu(event.cpu);
  s.set_pid(pid_);
  s.set_tid(event.tid);
  s.set_cpu_mode(perfetto::protos::Profiling::MODE_USER);
  if (counts_.size() <= event.cpu) counts_.resize(event.cpu + 1);
  s.set_timebase_count(counts_[event.cpu] += 1'000'000'000 / frequency_hz_);
  s.set_callstack_iid(stack);
  if (event.unwind_failed) s.set_unwind_error(perfetto::protos::Profiling::UNWIND_ERROR_MEMORY_INVALID);
  write();
}

}  // namespace profile_relay::trace_maker
