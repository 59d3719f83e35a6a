#include "recorder.hpp"

#include "proto/fields.hpp"

namespace attack {

namespace fields = profile_relay::proto::fields;
namespace tp = fields::trace_packet;
namespace id = fields::interned_data;

namespace {

constexpr std::size_t flush_at = 256u << 10;
constexpr std::uint32_t cleared = 1, needs_state = 2;
constexpr std::uint32_t boottime = 6, monotonic = 3, realtime = 1;

message reading(std::uint32_t clock, std::uint64_t at) {
  namespace c = fields::clock_snapshot_clock;
  return message().num(c::clock_id, clock).num(c::timestamp, at);
}

}  // namespace

std::string entry(message const& packet) { return message().sub(fields::trace::packet, packet).bytes(); }

std::string clock_snapshot() {
  namespace s = fields::clock_snapshot;
  message m;
  m.sub(s::clocks, reading(boottime, 1'000)).sub(s::clocks, reading(monotonic, 1'000));
  m.sub(s::clocks, reading(realtime, 1'790'000'000'000'000'000)).num(s::primary_trace_clock, boottime);
  return entry(message().sub(tp::clock_snapshot, m));
}

message recorder::header() const {
  message m;
  m.num(tp::trusted_packet_sequence_id, sequence_);
  if (machine_ != 0) m.num(tp::machine_id, machine_);
  return m;
}

recorder& recorder::clear() {
  flush();
  trace_ += entry(header().num(tp::sequence_flags, cleared));
  return *this;
}

recorder& recorder::intern(std::uint32_t field, message const& value) {
  // What is large goes alone, so that no packet passes its limit because of what stood before.
  if (interned_.size() + value.size() > flush_at) flush();
  interned_.sub(field, value);
  return *this;
}

recorder& recorder::name(std::uint32_t field, std::uint64_t iid, std::string_view text) {
  namespace s = fields::interned_string;
  return intern(field, message().num(s::iid, iid).text(s::str, text));
}

recorder& recorder::function(std::uint64_t iid, std::string_view text) {
  return name(id::function_names, iid, text);
}

recorder& recorder::frame(std::uint64_t iid, std::uint64_t function, std::uint64_t mapping,
                          std::uint64_t rel_pc) {
  namespace f = fields::frame;
  message m;
  m.num(f::iid, iid).num(f::function_name_id, function);
  if (mapping != 0) m.num(f::mapping_id, mapping).num(f::rel_pc, rel_pc);
  return intern(id::frames, m);
}

recorder& recorder::mapping(std::uint64_t iid, std::uint64_t start, std::span<const std::uint64_t> path,
                            std::uint64_t build_id) {
  namespace f = fields::mapping;
  message m;
  m.num(f::iid, iid).num(f::start, start).num(f::end, start + 4096).each(f::path_string_ids, path);
  if (build_id != 0) m.num(f::build_id, build_id);
  return intern(id::mappings, m);
}

recorder& recorder::callstack(std::uint64_t iid, std::span<const std::uint64_t> frames) {
  namespace f = fields::callstack;
  return intern(id::callstacks, message().num(f::iid, iid).packed(f::frame_ids, frames));
}

recorder& recorder::sample(std::uint64_t callstack, std::uint32_t tid, std::uint32_t pid) {
  namespace f = fields::perf_sample;
  time_ns_ += 100'000;
  message const body = message().num(f::pid, pid).num(f::tid, tid).num(f::callstack_iid, callstack);
  return packet(message().num(tp::timestamp, time_ns_).sub(tp::perf_sample, body));
}

recorder& recorder::packet(message const& packet_fields) {
  flush();
  message m = header();
  m.num(tp::sequence_flags, needs_state);
  trace_ += message().text(fields::trace::packet, m.bytes() + packet_fields.bytes()).bytes();
  return *this;
}

recorder& recorder::flush() {
  if (interned_.size() == 0) return *this;
  trace_ += entry(header().num(tp::sequence_flags, needs_state).sub(tp::interned_data, interned_));
  interned_.clear();
  return *this;
}

std::string recorder::take() {
  flush();
  return std::move(trace_);
}

}  // namespace attack
