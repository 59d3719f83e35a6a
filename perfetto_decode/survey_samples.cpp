#include "perfetto_decode/survey_samples.hpp"

#include <algorithm>
#include <array>

#include "proto/fields.hpp"

namespace profile_relay::perfetto_decode {
namespace {

constexpr std::size_t longest_name = 120;

std::string start_of(byte_span bytes) {
  auto const n = std::min(bytes.size(), longest_name);
  return {reinterpret_cast<const char*>(bytes.data()), n};
}

std::string counter_name(std::uint64_t id) {
  constexpr std::array<std::string_view, 21> names{"unknown counter",
                                                   "SW_CPU_CLOCK",
                                                   "SW_PAGE_FAULTS",
                                                   "SW_TASK_CLOCK",
                                                   "SW_CONTEXT_SWITCHES",
                                                   "SW_CPU_MIGRATIONS",
                                                   "SW_PAGE_FAULTS_MIN",
                                                   "SW_PAGE_FAULTS_MAJ",
                                                   "SW_ALIGNMENT_FAULTS",
                                                   "SW_EMULATION_FAULTS",
                                                   "HW_CPU_CYCLES",
                                                   "HW_INSTRUCTIONS",
                                                   "HW_CACHE_REFERENCES",
                                                   "HW_CACHE_MISSES",
                                                   "HW_BRANCH_INSTRUCTIONS",
                                                   "HW_BRANCH_MISSES",
                                                   "HW_BUS_CYCLES",
                                                   "HW_STALLED_CYCLES_FRONTEND",
                                                   "HW_STALLED_CYCLES_BACKEND",
                                                   "HW_REF_CPU_CYCLES",
                                                   "SW_DUMMY"};
  return id < names.size() ? std::string(names[static_cast<std::size_t>(id)])
                           : "counter " + std::to_string(id);
}

/// For example "SW_CPU_CLOCK, 101 Hz".
std::string timebase_text(byte_span message) {
  namespace f = proto::fields::perf_events_timebase;
  std::string event, rate;
  wire_reader r(message);
  while (r.next()) {
    if (r.is_varint()) {
      if (r.number() == f::counter) event = counter_name(r.value());
      if (r.number() == f::frequency) rate = ", " + std::to_string(r.value()) + " Hz";
      if (r.number() == f::period) rate = ", every " + std::to_string(r.value());
      if (r.number() == f::poll_period_ms) rate = ", polled every " + std::to_string(r.value()) + " ms";
    } else if (r.is_bytes()) {
      if (r.number() == f::raw_event) event = "raw event";
      if (r.number() != f::tracepoint) continue;
      event = "tracepoint";
      wire_reader t(r.bytes());
      while (t.next())
        if (t.number() == proto::fields::perf_events_tracepoint::name && t.is_bytes())
          event += " " + start_of(t.bytes());
    }
  }
  return (event.empty() ? "unnamed event" : event) + rate;
}

/// For example "wall (unit ns)".
std::string descriptor_text(byte_span message) {
  namespace f = proto::fields::stack_sample_counter_descriptor;
  constexpr std::array<std::string_view, 10> units{"",
                                                   "ns",
                                                   "cycles",
                                                   "instructions",
                                                   "bytes",
                                                   "page faults",
                                                   "cache misses",
                                                   "cache references",
                                                   "branch misses",
                                                   "count"};
  std::string name, unit;
  wire_reader r(message);
  while (r.next()) {
    if (r.is_bytes() && r.number() == f::name) name = start_of(r.bytes());
    if (r.is_bytes() && r.number() == f::unit_str) unit = start_of(r.bytes());
    if (r.is_varint() && r.number() == f::unit && r.value() < units.size())
      unit = units[static_cast<std::size_t>(r.value())];
  }
  if (name.empty()) name = "unnamed counter";
  return unit.empty() ? name : name + " (unit " + unit + ")";
}

std::uint64_t perf_sample(byte_span message, sample_survey& to) {
  namespace f = proto::fields::perf_sample;
  std::uint64_t lost = 0, skipped = 0, cpu = 0;
  bool has_stack = false, event = false;
  wire_reader r(message);
  while (r.next()) {
    if (r.is_varint()) {
      has_stack |= r.number() == f::callstack_iid;
      if (r.number() == f::cpu) cpu = r.value();
      if (r.number() == f::kernel_records_lost) lost = r.value();
      if (r.number() == f::sample_skipped_reason) skipped = r.value();
    } else if (r.is_bytes()) {
      event |= r.number() == f::producer_event;
    }
  }
  if (lost > 0 || event) {
    ++(lost > 0 ? to.perf_loss_reports : to.perf_producer_events);
    auto const row = static_cast<std::uint32_t>(std::min<std::uint64_t>(cpu, sample_survey::max_cpus - 1));
    if (lost > 0) to.lost_records_by_cpu[row] += lost;
    return 0;
  }
  ++(has_stack ? to.perf_with_stack : to.perf_without_stack);
  if (skipped >= 1 && skipped <= 3) ++to.perf_skip_reasons;
  return 1;
}

std::uint64_t stack_sample(byte_span message, sample_survey& to) {
  namespace f = proto::fields::stack_sample;
  bool has_stack = false;
  wire_reader r(message);
  while (r.next())
    has_stack |=
        (r.is_varint() && r.number() == f::callstack_iid) || (r.is_bytes() && r.number() == f::callstack);
  ++(has_stack ? to.stack_samples_with_stack : to.stack_samples_without_stack);
  return 1;
}

}  // namespace

std::uint64_t survey_sample_packet(packet_view const& p, sample_survey& to) {
  if (p.perf_sample.present()) return perf_sample(p.perf_sample.bytes(), to);
  if (p.streaming_profile.present()) {
    repeated_varint callstacks(p.streaming_profile.bytes(),
                               proto::fields::streaming_profile_packet::callstack_iid);
    std::uint64_t n = 0, iid = 0;
    while (callstacks.next(iid)) ++n;
    ++to.streaming_packets;
    to.streaming_samples += n;
    return n;
  }
  return p.stack_sample.present() ? stack_sample(p.stack_sample.bytes(), to) : 0;
}

defaults_survey survey_defaults(byte_span message) {
  namespace f = proto::fields::trace_packet_defaults;
  defaults_survey out;
  wire_reader r(message);
  while (r.next()) {
    if (r.is_varint() && r.number() == f::timestamp_clock_id)
      out.clock = static_cast<std::uint32_t>(r.value());
    if (!r.is_bytes()) continue;
    wire_reader inner(r.bytes());
    if (r.number() == f::perf_sample_defaults) {
      while (inner.next())
        if (inner.is_bytes() && inner.number() == proto::fields::perf_sample_defaults::timebase)
          out.timebase = timebase_text(inner.bytes());
    } else if (r.number() == f::stack_sample_defaults) {
      while (inner.next()) {
        if (!inner.is_bytes()) continue;
        if (inner.number() == proto::fields::stack_sample_defaults::source)
          out.source = start_of(inner.bytes());
        if (inner.number() == proto::fields::stack_sample_defaults::primary_descriptor)
          out.timebase = descriptor_text(inner.bytes());
      }
    }
  }
  return out;
}

interned_survey survey_interned(byte_span message) {
  interned_survey out;
  wire_reader r(message);
  while (r.next()) {
    if (!r.is_bytes()) continue;
    ++out.entries;
    if (r.number() == proto::fields::interned_data::callstacks) ++out.callstacks;
  }
  return out;
}

}  // namespace profile_relay::perfetto_decode
