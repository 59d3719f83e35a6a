#include <algorithm>
#include <limits>

#include "perfetto_decode/hash.hpp"
#include "perfetto_decode/trace_decoder.hpp"
#include "proto/fields.hpp"

namespace profile_relay::perfetto_decode {
namespace {

std::int64_t saturating_add(std::int64_t a, std::int64_t b) {
  std::int64_t sum = 0;
  if (!__builtin_add_overflow(a, b, &sum)) return sum;
  return b < 0 ? std::numeric_limits<std::int64_t>::min() : std::numeric_limits<std::int64_t>::max();
}

std::int64_t us_to_ns(std::int64_t us) {
  std::int64_t ns = 0;
  if (!__builtin_mul_overflow(us, std::int64_t{1000}, &ns)) return ns;
  return us < 0 ? std::numeric_limits<std::int64_t>::min() : std::numeric_limits<std::int64_t>::max();
}

}  // namespace

/// Whether a StackSample's counter is CPU time: its unit is ns, cycles, instructions, or not known.
bool descriptor_is_cpu_time(byte_span descriptor) {
  namespace f = proto::fields::stack_sample_counter_descriptor;
  bool cpu = true;
  wire_reader r(descriptor);
  while (r.next()) {
    if (r.number() == f::unit && r.is_varint()) cpu = r.value() <= 3;
    if (r.number() == f::unit_str && r.is_bytes()) {
      std::string_view const unit{reinterpret_cast<const char*>(r.bytes().data()), r.bytes().size()};
      cpu = unit.empty() || unit == "ns" || unit == "cycles" || unit == "instructions" || unit == "unknown";
    }
  }
  return cpu;
}

std::size_t trace_decoder::task_hash::operator()(task_key const& k) const {
  auto const flags = (k.has_pid ? 1u : 0u) | (k.has_tid ? 2u : 0u);
  return mix(mix(static_cast<std::uint64_t>(k.tid), static_cast<std::uint64_t>(k.pid)),
             (std::uint64_t{k.machine} << 2) | flags);
}

std::uint32_t trace_decoder::task_of(task_key const& k) {
  auto const slot = static_cast<std::size_t>(k.tid) % recent_tasks;
  if (recent_ids_[slot] != none && k == recent_keys_[slot]) return recent_ids_[slot];
  auto it = task_index_.find(k);
  if (it == task_index_.end()) {
    if (!storage_->result.charge(2 * sizeof(task) + 2 * sizeof(task_key))) return none;
    it = task_index_.emplace(k, static_cast<std::uint32_t>(out_.tasks.size())).first;
    task t;
    t.machine = k.machine;
    t.pid = k.pid;
    t.tid = k.tid;
    t.has_pid = k.has_pid;
    t.has_tid = k.has_tid;
    out_.tasks.push_back(t);
  }
  recent_keys_[slot] = k;
  recent_ids_[slot] = it->second;
  return it->second;
}

bool trace_decoder::add_record(record const& r) {
  if (++out_.sample_records >= limits_.samples)
    return fail(errc::too_many_samples,
                "samples reach profiling.max_samples = " + std::to_string(limits_.samples));
  if (r.task == none || !storage_->result.charge(sizeof(record) + sizeof(sample))) return out_of_result();
  records_.push_back(r);
  return true;
}

bool trace_decoder::use_callstack(sequence* s, std::uint64_t iid, bool of_stack_sample, std::uint32_t& ref) {
  ref = 0;  // nothing is interned: an invalid callstack
  if (s == nullptr || !s->current) return true;
  auto* entry = s->current->callstacks.obtain(iid);
  if (entry == nullptr) return out_of_working();
  auto& known = entry->refs[of_stack_sample ? 1 : 0];
  if (known == interval::unresolved) {
    if (!working_.charge(2 * sizeof(sequence::used_callstack))) return out_of_working();
    working_.refund(sizeof(sequence::used_callstack));  // the vector's slack is bounded by its size
    known = static_cast<std::uint32_t>(refs_.size());
    refs_.push_back(stack_ref::void_of(counter::stackprofile_invalid_callstack_id));
    s->used.push_back({iid, known, of_stack_sample});
  }
  ref = known;
  return true;
}

bool trace_decoder::perf_sample(packet_view const& p, sequence* s, time_ref t) {
  namespace f = proto::fields::perf_sample;
  record out;
  out.time = t;
  out.stream_sequence = p.sequence_id;
  out.cpu_time = s == nullptr || s->defaults.perf_cpu_time;
  task_key task{p.machine_id, 0, 0, false, false};
  std::uint64_t iid = 0, lost = 0, skipped = 0, unwind = 1;
  bool has_iid = false, event = false;
  wire_reader r(p.perf_sample.bytes());
  while (r.next()) {
    if (r.is_varint()) switch (r.number()) {
        case f::cpu:
          out.stream_cpu = static_cast<std::uint32_t>(r.value());
          break;
        case f::pid:
          task.pid = static_cast<std::uint32_t>(r.value());
          task.has_pid = true;
          break;
        case f::tid:
          task.tid = static_cast<std::uint32_t>(r.value());
          task.has_tid = true;
          break;
        case f::callstack_iid:
          iid = r.value();
          has_iid = true;
          break;
        case f::unwind_error:
          unwind = r.value();
          break;
        case f::kernel_records_lost:
          lost = r.value();
          break;
        case f::sample_skipped_reason:
          skipped = r.value();
          break;
        default:
          break;
      }
    else if (r.is_bytes() && r.number() == f::producer_event)
      event = true;
  }
  any_other_timebase_ |= !out.cpu_time;
  out.task = task_of(task);
  if (lost > 0 || event) {
    if (lost > 0)
      out_.counts.add_lost_records(out.stream_cpu, lost);
    else
      out_.counts.add(counter::perf_guardrail_stop_ts);
    out.marker = true;
    return add_record(out);
  }
  if (skipped == 1 || skipped == 2) out_.counts.add(counter::perf_samples_skipped);
  if (skipped == 3) out_.counts.add(counter::perf_samples_skipped_dataloss);
  if (unwind != 1) {
    out_.counts.add(counter::unwind_error);
    auto& by_code = out_.counts.unwind_errors;
    ++by_code[std::min<std::uint64_t>(unwind, by_code.size() - 1)];
  }
  return (!has_iid || use_callstack(s, iid, false, out.ref)) && add_record(out);
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
      c.pid = static_cast<std::int32_t>(r.value());
      c.has_pid = true;
    } else if (r.number() == f::tid) {
      c.tid = static_cast<std::int32_t>(r.value());
      c.has_tid = true;
    }
  }
  return c;
}

}  // namespace

bool trace_decoder::stack_sample(packet_view const& p, sequence* s, time_ref t) {
  namespace f = proto::fields::stack_sample;
  record out;
  out.time = t;
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
      if (!working_.charge(2 * sizeof(stack_ref))) return out_of_working();
      out.ref = static_cast<std::uint32_t>(refs_.size());
      refs_.push_back(*ref);
    }
  } else if (has_iid && !use_callstack(s, iid, true, out.ref)) {
    return false;
  }
  if ((pending.has_task || pending.has_descriptor) && s != nullptr && s->current) {
    if (!working_.charge(2 * sizeof(pending))) return out_of_working();
    working_.refund(sizeof(pending));
    pending.record = static_cast<std::uint32_t>(records_.size());
    s->pending.push_back(pending);
  }
  any_other_timebase_ |= !out.cpu_time || pending.has_descriptor;
  return add_record(out);
}

bool trace_decoder::resolve_pending(sequence& s) {
  for (auto const& p : s.pending) {
    auto& r = records_[p.record];
    if (p.has_task) {
      auto const* e = s.current->task_contexts.find(p.task_iid);
      if (e != nullptr && e->data != nullptr) {
        auto const c = read_task_context(e->bytes());
        r.task = task_of({s.machine, c.pid, c.tid, c.has_pid, c.has_tid});
        if (r.task == none) return out_of_result();
      } else {
        out_.counts.add(counter::interned_data_tokenizer_errors);
      }
    }
    if (p.has_descriptor) {
      auto const* e = s.current->counter_descriptors.find(p.descriptor_iid);
      if (e != nullptr && e->data != nullptr)
        r.cpu_time = descriptor_is_cpu_time(e->bytes());
      else
        out_.counts.add(counter::interned_data_tokenizer_errors);
    }
  }
  return true;
}

bool trace_decoder::streaming_profile(packet_view const& p, sequence* s, time_ref t) {
  namespace f = proto::fields::streaming_profile_packet;
  auto const message = p.streaming_profile.bytes();
  bool const has_base = s != nullptr && s->has_reference;
  bool const usable = has_base || p.has_timestamp;

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
      auto const n = clocks_.node_of(p.machine_id, 0, monotonic);
      if (n == clock_graph::no_node) return out_of_working();
      base.time = {n, s->reference_ns};
    }
    if (!working_.charge(2 * sizeof(base_time))) return out_of_working();
    out.time.clock = time_ref::from_base + static_cast<std::uint32_t>(bases_.size());
    bases_.push_back(base);
  }

  std::int64_t since_base = 0;
  std::uint64_t iid = 0, delta = 0;
  repeated_varint callstacks(message, f::callstack_iid), deltas(message, f::timestamp_delta_us);
  bool more_deltas = true;
  while (callstacks.next(iid)) {
    more_deltas = more_deltas && deltas.next(delta);
    if (!more_deltas || !usable) {
      if (++out_.sample_records >= limits_.samples)
        return fail(errc::too_many_samples, "samples reach profiling.max_samples");
      out_.counts.add(more_deltas ? counter::streaming_profile_no_reference
                                  : counter::stackprofile_parser_error);
      continue;
    }
    since_base = saturating_add(since_base, us_to_ns(static_cast<std::int64_t>(delta)));
    out.time.raw = since_base;
    if (!use_callstack(s, iid, false, out.ref) || !add_record(out)) return false;
  }
  while (more_deltas && deltas.next(delta))
    since_base = saturating_add(since_base, us_to_ns(static_cast<std::int64_t>(delta)));
  if (has_base) s->reference_ns = saturating_add(s->reference_ns, since_base);
  return true;
}

}  // namespace profile_relay::perfetto_decode
