// What happens after the last packet: clocks, order, timebases, names, symbols.
#include <algorithm>

#include "perfetto_decode/saturating.hpp"
#include "perfetto_decode/time_sort.hpp"
#include "perfetto_decode/trace_decoder.hpp"

namespace profile_relay::perfetto_decode {
bool trace_decoder::finish() {
  for (auto& [key, s] : sequences_)
    if (!end_interval(s)) return false;
  // A file without a host packet: its first machine is the host.
  clocks_.finish(host_seen_ ? 0 : first_machine_, out_.counts);
  resolve_bases();
  if (any_missing_time_) {
    for (auto& r : records_)
      if (r.clock != time_ref::missing) resolve_record(r);
    resolve_missing();
  }
  emit();
  name_tasks();
  stacks_.apply_symbols(module_symbols_);
  return true;
}

bool trace_decoder::resolve_time(time_ref t, std::int64_t& trace_time, counter& why) {
  if (t.clock == time_ref::trace_time) {
    trace_time = t.raw;
    return true;
  }
  if (t.clock == time_ref::unknown) {
    why = counter::clock_sync_failure_unknown_source_clock;
    return false;
  }
  auto const at = clocks_.to_trace(t.clock, t.raw, why);
  if (at) trace_time = *at;
  return at.has_value();
}

void trace_decoder::resolve_bases() {
  for (auto& b : bases_) {
    b.has_trace_time = resolve_time(b.time, b.trace_time, b.failure);
    if (b.has_trace_time || b.time.clock == time_ref::unknown) continue;
    if (auto const wall = clocks_.straight_to_wall(b.time.clock, b.time.raw)) {
      b.wall_time = *wall;
      b.has_wall_time = true;
    }
  }
}

void trace_decoder::resolve_record(record& r) {
  using enum record::resolved;
  time_ref const t{r.clock, r.time};
  counter why{};
  if (t.is_from_base()) {
    auto& b = bases_[t.clock - time_ref::from_base];
    std::int64_t const at = saturating_add(b.has_trace_time ? b.trace_time : b.wall_time, t.raw);
    if (!b.has_trace_time && !b.has_wall_time) return r.drop(b.failure);
    if (b.exhausted || at < 0) {
      b.exhausted = true;
      return r.drop(counter::streaming_profile_invalid_timestamp);
    }
    r.state = b.has_trace_time ? trace_time : wall_time;
    r.time = at;
    return;
  }
  if (resolve_time(t, r.time, why)) {
    r.state = trace_time;
  } else if (auto const wall =
                 t.clock == time_ref::unknown ? std::nullopt : clocks_.straight_to_wall(t.clock, t.raw)) {
    r.time = *wall;
    r.state = wall_time;
  } else {
    r.drop(why);
  }
}

void trace_decoder::resolve_missing() {
  // The greatest trace time among the first n samples, and among the first n marks.
  greatest_of_records_.reserve(records_.size() + 1);
  greatest_of_records_.push_back(0);
  for (auto const& r : records_) {
    auto const at = r.state == record::resolved::trace_time ? r.time : 0;
    greatest_of_records_.push_back(std::max(greatest_of_records_.back(), at));
  }
  greatest_of_marks_.reserve(marks_.size() + 1);
  greatest_of_marks_.push_back(0);
  counter ignored{};
  for (auto const& m : marks_) {
    std::int64_t at = 0;
    if (!resolve_time(m, at, ignored)) at = 0;
    greatest_of_marks_.push_back(std::max(greatest_of_marks_.back(), at));
  }
  for (auto& r : records_) {
    if (r.state != record::resolved::not_yet) continue;
    r.time = greatest_before({r.clock, r.time});
    r.state = record::resolved::trace_time;
  }
}

std::int64_t trace_decoder::greatest_before(time_ref t) const {
  auto const where = static_cast<std::uint64_t>(t.raw);
  return std::max(greatest_of_records_[where >> 32], greatest_of_marks_[where & 0xffff'ffffu]);
}

/// Indices of the records to emit, by (trace time, file order); then those that have a wall time only.
budget_vector<time_key> trace_decoder::time_order() {
  using enum record::resolved;
  budget_vector<time_key> order(working_), scratch(working_);
  order.reserve(records_.size());
  bool any_wall = false;
  for (std::uint32_t i = 0; auto& r : records_) {
    if (!any_missing_time_) resolve_record(r);
    if (r.state == trace_time) order.push_back({r.time, i});
    if (r.state == dropped && !r.marker) out_.counts.add(static_cast<counter>(r.ref));
    any_wall |= r.state == wall_time;
    ++i;
  }
  auto const with_trace_time = order.size();
  if (any_wall)
    for (std::uint32_t i = 0; i < records_.size(); ++i)
      if (records_[i].state == wall_time) order.push_back({records_[i].time, i});
  scratch.resize(order.size());
  sort_by_time(std::span(order).first(with_trace_time), scratch);
  sort_by_time(std::span(order).subspan(with_trace_time), scratch);
  return order;
}

/// A stream (sequence, cpu) has the timebase of its first sample's defaults (perfetto-decoding 6).
bool trace_decoder::cpu_time_of_stream(record const& r) {
  std::tuple const stream(out_.tasks[r.task].machine, r.sequence, r.cpu);
  return streams_.try_emplace(stream, r.cpu_time).first->second;
}

void trace_decoder::emit() {
  using enum record::resolved;
  auto const order = time_order();
  out_.samples.reserve(order.size());
  for (auto const& key : order) {
    auto const& r = records_[key.index];
    bool const of_stream = any_other_timebase_ && r.source == sample_source::perf_sample;
    bool const cpu_time = of_stream ? cpu_time_of_stream(r) : r.cpu_time;
    if (r.marker) continue;
    if (r.ref == none) {
      out_.counts.add(counter::sample_without_callstack);
      continue;
    }
    auto const ref = refs_[r.ref];
    if (ref.is_void()) {
      out_.counts.add(ref.why());
      continue;
    }
    if (!cpu_time) {
      out_.counts.add(counter::sample_non_cpu_timebase);
      continue;
    }
    if (ref.is_empty()) out_.counts.add(counter::stackprofile_empty_callstack);
    if (!out_.tasks[r.task].has_tid) out_.counts.add(counter::sample_without_task);
    sample s;
    s.stack = ref.stack();
    s.task = r.task;
    s.source = r.source;
    if (r.state == trace_time) {
      s.trace_time = r.time;
      s.has_trace_time = true;
      if (auto const wall = clocks_.to_wall(r.time)) {
        s.wall_time = *wall;
        s.has_wall_time = true;
      }
    } else {
      s.wall_time = r.time;
      s.has_wall_time = true;
    }
    out_.samples.push_back(s);
  }
}

void trace_decoder::name_tasks() {
  names_.settle([this](time_ref t, bool first_of_packet, std::int64_t& at) {
    counter why{};
    if (t.clock == time_ref::missing) {
      at = greatest_before(t);
      return true;
    }
    if (resolve_time(t, at, why)) return true;
    // As for samples: straight to the wall clock, where only that can be reached.
    if (t.clock != time_ref::unknown) {
      if (auto const wall = clocks_.straight_to_wall(t.clock, t.raw)) {
        at = *wall;
        return true;
      }
    }
    if (first_of_packet) out_.counts.add(why);
    return false;
  });
  for (auto& t : out_.tasks) names_.name(t);
  if (host_seen_) return;
  for (auto& t : out_.tasks)
    if (t.machine == first_machine_) t.machine = 0;
}

}  // namespace profile_relay::perfetto_decode
