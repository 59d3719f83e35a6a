#include "perfetto_decode/saturating.hpp"
#include "perfetto_decode/sub_message.hpp"
#include "perfetto_decode/trace_decoder.hpp"
#include "proto/fields.hpp"

namespace profile_relay::perfetto_decode {
namespace {

/// Whether a perf_event timebase counts CPU time (perfetto-decoding 6): unit ns, cycles, instructions, or
/// unknown.
bool is_cpu_time(byte_span timebase) {
  namespace f = proto::fields::perf_events_timebase;
  bool cpu = true;
  wire_reader r(timebase);
  while (r.next()) {
    if (r.number() == f::tracepoint && r.is_bytes()) cpu = false;
    if (r.number() == f::raw_event && r.is_bytes()) cpu = true;
    if (r.number() != f::counter || !r.is_varint()) continue;
    switch (r.value()) {
      case 0:   // unknown
      case 1:   // SW_CPU_CLOCK
      case 3:   // SW_TASK_CLOCK
      case 10:  // HW_CPU_CYCLES
      case 11:  // HW_INSTRUCTIONS
      case 16:  // HW_BUS_CYCLES
      case 19:  // HW_REF_CPU_CYCLES
        cpu = true;
        break;
      default:
        cpu = false;
    }
  }
  return cpu;
}

}  // namespace

bool descriptor_is_cpu_time(byte_span counter_descriptor);

trace_decoder::sequence* trace_decoder::find_sequence(packet_view const& p) {
  std::pair const key(p.machine_id, p.sequence_id);
  auto it = sequences_.find(key);
  if (it == sequences_.end()) {
    if (sequences_.size() >= limits_.sequences) {
      fail(errc::too_many_sequences, "the trace has more sequences than profiling.max_sequences = " +
                                         std::to_string(limits_.sequences));
      return nullptr;
    }
    auto const index = static_cast<std::uint32_t>(sequences_.size());
    it = sequences_.try_emplace(key, working_).first;
    it->second.machine = p.machine_id;
    it->second.id = p.sequence_id;
    it->second.index = index;
  }
  last_sequence_ = &it->second;
  return last_sequence_;
}

bool trace_decoder::start_interval(sequence& s) {
  if (!end_interval(s)) return false;
  s.current.emplace(working_, limits_);
  return true;
}

bool trace_decoder::refused(stack_resolver const& r) {
  switch (r.failure()) {
    case errc::callstack_too_deep:
      return fail(errc::callstack_too_deep,
                  "a sample uses a callstack deeper than profiling.max_stack_depth = " +
                      std::to_string(limits_.callstack_depth));
    default:
      return fail(errc::too_many_frames, "unique frames exceed profiling.max_frames");
  }
}

bool trace_decoder::end_interval(sequence& s) {
  if (!s.current) return true;
  for (auto const& u : s.used) {
    auto* entry = s.current->callstacks.find(u.iid);
    auto const ref = stacks_.callstack(*s.current, *entry, u.of_stack_sample);
    if (!ref) return refused(stacks_);
    refs_[u.ref] = *ref;
  }
  resolve_pending(s);
  s.used.clear();
  s.pending.clear();
  s.current.reset();
  return true;
}

void trace_decoder::read_defaults(sequence& s, byte_span message) {
  namespace f = proto::fields::trace_packet_defaults;
  s.defaults = {};  // the previous ones are replaced as a whole
  wire_reader r(message);
  while (r.next()) {
    if (r.is_varint() && r.number() == f::timestamp_clock_id)
      s.defaults.clock_id = static_cast<std::uint32_t>(r.value());
    if (!r.is_bytes()) continue;
    if (r.number() == f::perf_sample_defaults) {
      auto const timebase = sub_message(r.bytes(), proto::fields::perf_sample_defaults::timebase);
      s.defaults.perf_cpu_time = timebase.data() == nullptr || is_cpu_time(timebase);
    } else if (r.number() == f::stack_sample_defaults) {
      auto const descriptor =
          sub_message(r.bytes(), proto::fields::stack_sample_defaults::primary_descriptor);
      s.defaults.stack_sample_cpu_time = descriptor.data() == nullptr || descriptor_is_cpu_time(descriptor);
    }
  }
}

void trace_decoder::note_thread(sequence& s, byte_span descriptor, bool needs_both) {
  namespace f = proto::fields::thread_descriptor;
  std::int64_t pid = 0, tid = 0, reference = 0;
  bool has_pid = false, has_tid = false, has_reference = false;
  wire_reader r(descriptor);
  while (r.next()) {
    if (!r.is_varint()) continue;
    switch (r.number()) {
      case f::pid:
        pid = static_cast<std::int32_t>(r.value());
        has_pid = true;
        break;
      case f::tid:
        tid = static_cast<std::int32_t>(r.value());
        has_tid = true;
        break;
      case f::reference_timestamp_us:
        reference = static_cast<std::int64_t>(r.value());
        has_reference = true;
        break;
      default:
        break;
    }
  }
  if (needs_both && !(has_pid && has_tid)) return;
  s.has_thread = true;
  s.pid = pid;
  s.tid = tid;
  s.has_reference = has_reference;
  s.reference_ns = us_to_ns(reference);
}

time_ref trace_decoder::time_of(packet_view const& p, sequence* s) {
  if (!p.has_timestamp) {
    auto const where = (std::uint64_t{records_.size()} << 32) | marks_.size();
    return {time_ref::missing, static_cast<std::int64_t>(where)};
  }
  std::uint32_t id = p.clock_id;
  if (id == 0 && s != nullptr) id = s->defaults.clock_id;
  clock_graph::node n = clock_graph::no_node;
  if (id == 0) {
    if (p.machine_id == 0 && host_default_known_) {
      n = host_default_;
    } else {
      n = clocks_.default_clock(p.machine_id);
      if (p.machine_id == 0) {
        host_default_ = n;
        host_default_known_ = true;
      }
    }
    if (n == clock_graph::no_node) return {time_ref::trace_time, static_cast<std::int64_t>(p.timestamp)};
  } else if (s != nullptr && s->cached_clock_id == id) {
    n = s->cached_clock;
  } else {
    n = clocks_.node_of(p.machine_id, p.sequence_id, id);
    if (n == clock_graph::no_node) return {time_ref::unknown, 0};
    if (s != nullptr) {
      s->cached_clock_id = id;
      s->cached_clock = n;
    }
  }
  return {n, clocks_.step(n, p.timestamp)};
}

bool trace_decoder::process(packet_view const& p) {
  if (!p.unusual) {
    host_seen_ = true;
  } else if (p.machine_id == 0) {
    host_seen_ |= !p.synchronization_marker;
  } else if (p.machine_id != last_machine_) {
    if (machines_.try_emplace(p.machine_id).second) {
      if (machines_.size() > limits_.sequences)
        return fail(errc::too_many_sequences, "the trace has more machines than profiling.max_sequences");
      if (first_machine_ == 0) first_machine_ = p.machine_id;
      clocks_.adopt_default(p.machine_id);
    }
    last_machine_ = p.machine_id;
  }
  sequence* s = nullptr;
  if (p.sequence_id != 0 && (s = sequence_of(p)) == nullptr) return false;

  if (!p.unusual && s != nullptr && s->valid && (p.sequence_flags & flag_incremental_state_cleared) == 0) {
    // Most packets, without a look at all that they do not have.
    s->seen = true;
    if (p.interned_data.present()) s->current->add(p.interned_data.bytes(), copy_, out_.counts);
    time_ref const t = time_of(p, s);
    if (p.perf_sample.present()) return perf_sample(p, s, t);
    note_time(t);
    return true;
  }
  bool const lost = p.previous_packet_dropped != 0;
  bool const cleared =
      p.incremental_state_cleared || (p.sequence_flags & flag_incremental_state_cleared) != 0;
  if (s != nullptr) {
    // On a sequence's first packet the mark means nothing was lost.
    if (lost && s->seen) out_.counts.add_packet_loss(p.previous_packet_dropped);
    s->seen = true;
    if (cleared) {
      if (!start_interval(*s)) return false;
      s->valid = true;
      s->defaults = {};
      s->has_reference = false;
    } else if (lost) {
      s->valid = false;
      s->has_reference = false;
    }
    if (p.defaults.present()) read_defaults(*s, p.defaults.bytes());
    if (p.interned_data.present()) {
      if (!s->valid)
        out_.counts.add(counter::interned_data_skipped_incremental_state_invalid);
      else
        s->current->add(p.interned_data.bytes(), copy_, out_.counts);
    }
  } else {
    if (lost) out_.counts.add(counter::previous_packet_dropped_missing_sequence_id);
    if (cleared) out_.counts.add(counter::incremental_state_cleared_missing_sequence_id);
    if (p.defaults.present()) out_.counts.add(counter::trace_packet_defaults_missing_sequence_id);
    if (p.interned_data.present()) out_.counts.add(counter::interned_data_missing_sequence_id);
  }
  if (p.clock_snapshot.present()) {
    on_clock_snapshot(p);
    return true;
  }
  if (p.remote_clock_sync.present()) {
    on_remote_clock_sync(p);
    return true;
  }
  if (p.service_or_extension) return true;
  if ((p.sequence_flags & flag_needs_incremental_state) != 0 && (s == nullptr || !s->valid)) {
    out_.counts.add(s == nullptr ? counter::needs_incremental_state_missing_sequence_id
                                 : counter::packet_skipped_seq_needs_incremental_state_invalid);
    return true;
  }
  time_ref const t = time_of(p, s);
  if (p.perf_sample.present()) return perf_sample(p, s, t);
  if (p.streaming_profile.present()) return streaming_profile(p, s, t);
  if (p.stack_sample.present()) return stack_sample(p, s, t);
  describe(p, s, t);
  return true;
}

/// Of packets without samples only the greatest reading of each clock matters, for packets without a timestamp.
void trace_decoder::note_time(time_ref t) {
  if (t.clock >= time_ref::from_base && t.clock != time_ref::trace_time) return;
  std::size_t const slot = t.clock == time_ref::trace_time ? 0 : std::size_t{t.clock} + 1;
  if (slot >= greatest_.size()) greatest_.resize(slot + 1, INT64_MIN);
  if (t.raw <= greatest_[slot]) return;
  greatest_[slot] = t.raw;
  marks_.push_back(t);
}

void trace_decoder::describe(packet_view const& p, sequence* s, time_ref t) {
  note_time(t);
  if (p.track_event.present() && s != nullptr && s->has_reference) {
    wire_reader r(p.track_event.bytes());
    while (r.next())
      if (r.number() == proto::fields::track_event::timestamp_delta_us && r.is_varint())
        s->reference_ns = saturating_add(s->reference_ns, us_to_ns(static_cast<std::int64_t>(r.value())));
  }
  task_names::place const at{p.machine_id, t, copy_};
  names_.begin_packet();
  any_missing_time_ |=
      t.clock == time_ref::missing && (p.process_tree.present() || p.process_descriptor.present() ||
                                       p.thread_descriptor.present() || p.track_descriptor.present());
  if (p.process_tree.present()) names_.process_tree(p.process_tree.bytes(), at, out_.counts);
  if (p.process_descriptor.present())
    names_.process_descriptor(p.process_descriptor.bytes(), at, out_.counts);
  if (p.thread_descriptor.present()) {
    if (s == nullptr) {
      out_.counts.add(counter::thread_descriptor_missing_sequence_id);
    } else if (s->valid) {
      note_thread(*s, p.thread_descriptor.bytes(), false);
      names_.thread_descriptor(p.thread_descriptor.bytes(), at, out_.counts);
    }
  }
  if (p.track_descriptor.present()) {
    auto const thread = sub_message(p.track_descriptor.bytes(), proto::fields::track_descriptor::thread);
    if (thread.data() != nullptr && s != nullptr && s->valid) note_thread(*s, thread, true);
    names_.track_descriptor(p.track_descriptor.bytes(), at, out_.counts);
  }
  if (p.module_symbols.present()) {
    byte_span const bytes = p.module_symbols.bytes();
    module_symbols_.push_back(copy_ ? storage_->keep.copy(bytes) : bytes);
  }
  if (p.deobfuscation_mapping) out_.counts.add(counter::deobfuscation_not_applied);
}

}  // namespace profile_relay::perfetto_decode
