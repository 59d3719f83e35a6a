#include <algorithm>
#include <limits>

#include "perfetto_decode/field_cursor.hpp"
#include "perfetto_decode/saturating.hpp"
#include "perfetto_decode/trace_decoder.hpp"
#include "proto/fields.hpp"

namespace profile_relay::perfetto_decode {
/// Whether a StackSample's counter is CPU time: its unit is ns, cycles, instructions, or not known.
bool descriptor_is_cpu_time(byte_span descriptor) {
  namespace f = proto::fields::stack_sample_counter_descriptor;
  bool cpu = true;
  wire_reader r(descriptor);
  while (r.next()) {
    if (r.number() == f::unit && r.is_varint()) cpu = r.value() <= 3;
    if (r.number() == f::unit_str && r.is_bytes()) {
      auto const unit = text_of(r.bytes());
      cpu = unit.empty() || unit == "ns" || unit == "cycles" || unit == "instructions" || unit == "unknown";
    }
  }
  return cpu;
}

std::uint32_t trace_decoder::task_of(task_key const& k) {
  auto const slot = static_cast<std::size_t>(k.tid) % recent_tasks;
  if (recent_ids_[slot] != none && k == recent_keys_[slot]) return recent_ids_[slot];
  auto const flags = (k.has_pid ? 1u : 0u) | (k.has_tid ? 2u : 0u);
  auto const hash = hash_words(task_seed_, k.tid, k.pid, (std::uint64_t{k.machine} << 2) | flags);
  auto const fresh = static_cast<std::uint32_t>(out_.tasks.size());
  auto id = task_index_.find_or_add(hash, fresh, [&](std::uint32_t i) {
    auto const& t = out_.tasks[i];
    return task_key{t.machine, t.pid, t.tid, t.has_pid, t.has_tid} == k;
  });
  if (id == value_index::absent) {
    id = fresh;
    task t;
    t.machine = k.machine;
    t.pid = k.pid;
    t.tid = k.tid;
    t.has_pid = k.has_pid;
    t.has_tid = k.has_tid;
    out_.tasks.push_back(t);
  }
  recent_keys_[slot] = k;
  recent_ids_[slot] = id;
  return id;
}

bool trace_decoder::too_many_samples() {
  return fail(errc::too_many_samples,
              "samples reach profiling.max_samples = " + std::to_string(limits_.samples));
}

std::uint32_t trace_decoder::first_use(sequence& s, std::uint64_t iid, bool of_stack_sample) {
  auto const ref = static_cast<std::uint32_t>(refs_.size());
  refs_.push_back(stack_ref::void_of(counter::stackprofile_invalid_callstack_id));
  s.used.push_back({iid, ref, of_stack_sample});
  s.current->callstacks.obtain(iid)->refs[of_stack_sample ? 1 : 0] = ref;
  return ref;
}

bool trace_decoder::perf_sample(packet_view const& p, sequence* s, time_ref t) {
  namespace f = proto::fields::perf_sample;
  record out;
  out.time = t.raw;
  out.clock = t.clock;
  if (s != nullptr) {
    out.sequence = s->index;
    out.cpu_time = s->defaults.perf_cpu_time;
  }
  std::uint32_t pid = 0, tid = 0;
  std::uint64_t iid = 0, lost = 0, skipped = 0, unwind = 1, v = 0;
  bool has_pid = false, has_tid = false, has_iid = false, event = false;
  byte_span ignored;
  field_cursor r(p.perf_sample.bytes());
  // In the order in which producers write them, without a look at each tag; the loop takes what comes otherwise.
  if (r.take(varint_tag(f::cpu), v)) out.cpu = static_cast<std::uint32_t>(v);
  if (r.take(varint_tag(f::pid), v)) {
    pid = static_cast<std::uint32_t>(v);
    has_pid = true;
  }
  if (r.take(varint_tag(f::tid), v)) {
    tid = static_cast<std::uint32_t>(v);
    has_tid = true;
  }
  has_iid = r.take(varint_tag(f::callstack_iid), iid);
  r.pass(varint_tag(f::cpu_mode));
  r.pass(varint_tag(f::timebase_count));
  while (r.next()) {
    switch (r.tag()) {
      case varint_tag(f::cpu):
        if (r.varint(v)) out.cpu = static_cast<std::uint32_t>(v);
        break;
      case varint_tag(f::pid):
        if (!r.varint(v)) break;
        pid = static_cast<std::uint32_t>(v);
        has_pid = true;
        break;
      case varint_tag(f::tid):
        if (!r.varint(v)) break;
        tid = static_cast<std::uint32_t>(v);
        has_tid = true;
        break;
      case varint_tag(f::callstack_iid):
        has_iid = r.varint(iid) || has_iid;
        break;
      case varint_tag(f::unwind_error):
        if (r.varint(v)) unwind = v;
        break;
      case varint_tag(f::kernel_records_lost):
        if (r.varint(v)) lost = v;
        break;
      case varint_tag(f::sample_skipped_reason):
        if (r.varint(v)) skipped = v;
        break;
      case bytes_tag(f::producer_event):
        event = r.bytes(ignored) || event;
        break;
      default:
        r.skip();
    }
  }
  any_other_timebase_ |= !out.cpu_time;
  out.task = has_pid && has_tid && p.machine_id == 0 ? task_of_pair(pid, tid)
                                                     : task_of({p.machine_id, pid, tid, has_pid, has_tid});
  if (lost > 0 || event) {
    if (lost > 0)
      out_.counts.add_lost_records(out.cpu, lost);
    else
      out_.counts.add(counter::perf_guardrail_stop_ts);
    out.marker = true;
    return add_record(out);
  }
  if (skipped == 1 || skipped == 2) out_.counts.add(counter::perf_samples_skipped);
  if (skipped == 3) out_.counts.add(counter::perf_samples_skipped_dataloss);
  // It was dropped before the trace was written and is counted as that, not once more as one without a stack.
  out.marker = skipped >= 1 && skipped <= 3 && !has_iid;
  if (unwind != 1) {
    out_.counts.add(counter::unwind_error);
    auto& by_code = out_.counts.unwind_errors;
    ++by_code[std::min<std::uint64_t>(unwind, by_code.size() - 1)];
  }
  if (has_iid) out.ref = use_callstack(s, iid, false);
  return add_record(out);
}

namespace {

struct context_fields {
  std::int64_t pid = 0, tid = 0;
  bool has_pid = false, has_tid = false;
};

context_fields read_task_context(byte_span message) {
  namespace f = proto::fields::stack_sample_task_context;
  context_fields c;
  wire_reader r(message);
  while (r.next()) {
    if (!r.is_varint()) continue;
    if (r.number() == f::pid) {
      c.pid = static_cast<std::uint32_t>(r.value());
      c.has_pid = true;
    } else if (r.number() == f::tid) {
      c.tid = static_cast<std::uint32_t>(r.value());
      c.has_tid = true;
    }
  }
  return c;
}

}  // namespace

bool trace_decoder::stack_sample(packet_view const& p, sequence* s, time_ref t) {
  namespace f = proto::fields::stack_sample;
  record out;
  out.time = t.raw;
  out.clock = t.clock;
  out.source = sample_source::stack_sample;
  out.cpu_time = s == nullptr || s->defaults.stack_sample_cpu_time;
  byte_span context, callstack, descriptor;
  std::uint64_t iid = 0;
  bool has_iid = false;
  sequence::pending_context pending{};
  wire_reader r(p.stack_sample.bytes());
  while (r.next()) {
    if (r.is_bytes()) switch (r.number()) {
        case f::task_context:
          context = r.bytes();
          break;
        case f::callstack:
          callstack = r.bytes();
          break;
        case f::primary_descriptor:
          descriptor = r.bytes();
          break;
        default:
          break;
      }
    else if (r.is_varint())
      switch (r.number()) {
        case f::task_context_iid:
          pending.task_iid = r.value();
          pending.has_task = true;
          break;
        case f::callstack_iid:
          iid = r.value();
          has_iid = true;
          break;
        case f::primary_descriptor_iid:
          pending.descriptor_iid = r.value();
          pending.has_descriptor = true;
          break;
        default:
          break;
      }
  }
  task_key task{p.machine_id, 0, 0, false, false};
  if (context.data() != nullptr) {
    auto const c = read_task_context(context);
    task = {p.machine_id, c.pid, c.tid, c.has_pid, c.has_tid};
    pending.has_task = false;
  }
  out.task = task_of(task);
  if (descriptor.data() != nullptr) {
    out.cpu_time = descriptor_is_cpu_time(descriptor);
    pending.has_descriptor = false;
  }
  if (callstack.data() != nullptr) {
    auto const ref = stacks_.inline_callstack(callstack, copy_);
    if (!ref) return refused(stacks_);
    if (!ref->is_void()) {
      out.ref = static_cast<std::uint32_t>(refs_.size());
      refs_.push_back(*ref);
    }
  } else if (has_iid) {
    out.ref = use_callstack(s, iid, true);
  }
  if ((pending.has_task || pending.has_descriptor) && s != nullptr && s->current) {
    pending.record = static_cast<std::uint32_t>(records_.size());
    s->pending.push_back(pending);
  }
  any_other_timebase_ |= !out.cpu_time || pending.has_descriptor;
  return add_record(out);
}

void trace_decoder::resolve_pending(sequence& s) {
  // Each interned message is read once, however many samples refer to it.
  for (auto const& p : s.pending) {
    auto& r = records_[p.record];
    if (p.has_task) {
      auto* e = s.current->task_contexts.find(p.task_iid);
      if (e != nullptr && e->data != nullptr) {
        if (e->resolved == interval::unresolved) {
          auto const c = read_task_context(e->bytes());
          e->resolved = task_of({s.machine, c.pid, c.tid, c.has_pid, c.has_tid});
        }
        r.task = e->resolved;
      } else {
        out_.counts.add(counter::interned_data_tokenizer_errors);
      }
    }
    if (p.has_descriptor) {
      auto* e = s.current->counter_descriptors.find(p.descriptor_iid);
      if (e != nullptr && e->data != nullptr) {
        if (e->resolved == interval::unresolved) e->resolved = descriptor_is_cpu_time(e->bytes()) ? 1 : 0;
        r.cpu_time = e->resolved == 1;
      } else {
        out_.counts.add(counter::interned_data_tokenizer_errors);
      }
    }
  }
}

bool trace_decoder::streaming_profile(packet_view const& p, sequence* s, time_ref t) {
  namespace f = proto::fields::streaming_profile_packet;
  auto const message = p.streaming_profile.bytes();
  bool const has_base = s != nullptr && s->has_reference;
  bool const usable = has_base || p.has_timestamp;
  if (p.has_timestamp) note_time(t);

  task_key task{p.machine_id, 0, 0, false, false};
  if (s != nullptr && s->has_thread) task = {p.machine_id, s->pid, s->tid, true, true};
  record out;
  out.source = sample_source::streaming_profile;
  out.task = task_of(task);
  if (usable) {
    base_time base;
    base.time = t;
    if (has_base) {
      constexpr std::uint32_t monotonic = 3;
      base.time = {clocks_.node_of(p.machine_id, 0, monotonic), s->reference_ns};
    }
    out.clock = time_ref::from_base + static_cast<std::uint32_t>(bases_.size());
    bases_.push_back(base);
  }

  std::int64_t since_base = 0;
  std::uint64_t iid = 0, delta = 0;
  repeated_varint callstacks(message, f::callstack_iid), deltas(message, f::timestamp_delta_us);
  bool more_deltas = true;
  while (callstacks.next(iid)) {
    more_deltas = more_deltas && deltas.next(delta);
    if (!more_deltas || !usable) {
      if (++out_.sample_records >= limits_.samples) return too_many_samples();
      out_.counts.add(more_deltas ? counter::streaming_profile_no_reference
                                  : counter::stackprofile_parser_error);
      continue;
    }
    since_base = saturating_add(since_base, us_to_ns(static_cast<std::int64_t>(delta)));
    out.time = since_base;
    out.ref = use_callstack(s, iid, false);
    if (!add_record(out)) return false;
  }
  while (more_deltas && deltas.next(delta))
    since_base = saturating_add(since_base, us_to_ns(static_cast<std::int64_t>(delta)));
  if (has_base) s->reference_ns = saturating_add(s->reference_ns, since_base);
  return true;
}

}  // namespace profile_relay::perfetto_decode
