#include <array>

#include "bench/subjects.hpp"
#include "proto/fields.hpp"

namespace profile_relay::bench {
namespace {

namespace f = proto::fields;

// The messages that occur inside others; `leaf` marks a field that holds no message.
enum kind : std::uint8_t {
  leaf,
  trace,
  packet,
  clock_snapshot,
  clock,
  defaults,
  perf_defaults,
  timebase,
  interned_data,
  interned_string,
  callstack,
  frame,
  mapping,
  perf_sample,
  producer_event,
  streaming_packet,
  process_tree,
  process,
  thread,
  track,
  thread_descriptor,
  process_descriptor,
  kind_count
};

constexpr std::size_t field_bound = 160;  // above the highest number that holds a message
using children = std::array<std::array<kind, field_bound>, kind_count>;

constexpr children make_children() {
  children c{};
  c[trace][f::trace::packet] = packet;
  c[packet][f::trace_packet::clock_snapshot] = clock_snapshot;
  c[packet][f::trace_packet::trace_packet_defaults] = defaults;
  c[packet][f::trace_packet::interned_data] = interned_data;
  c[packet][f::trace_packet::perf_sample] = perf_sample;
  c[packet][f::trace_packet::streaming_profile_packet] = streaming_packet;
  c[packet][f::trace_packet::process_tree] = process_tree;
  c[packet][f::trace_packet::track_descriptor] = track;
  c[packet][f::trace_packet::thread_descriptor] = thread_descriptor;
  c[packet][f::trace_packet::process_descriptor] = process_descriptor;
  c[clock_snapshot][f::clock_snapshot::clocks] = clock;
  c[defaults][f::trace_packet_defaults::perf_sample_defaults] = perf_defaults;
  c[perf_defaults][f::perf_sample_defaults::timebase] = timebase;
  c[interned_data][f::interned_data::function_names] = interned_string;
  c[interned_data][f::interned_data::mapping_paths] = interned_string;
  c[interned_data][f::interned_data::build_ids] = interned_string;
  c[interned_data][f::interned_data::source_paths] = interned_string;
  c[interned_data][f::interned_data::frames] = frame;
  c[interned_data][f::interned_data::callstacks] = callstack;
  c[interned_data][f::interned_data::mappings] = mapping;
  c[perf_sample][f::perf_sample::producer_event] = producer_event;
  c[process_tree][f::process_tree::processes] = process;
  c[process_tree][f::process_tree::threads] = thread;
  c[track][f::track_descriptor::thread] = thread_descriptor;
  c[track][f::track_descriptor::process] = process_descriptor;
  return c;
}
constexpr children child_of = make_children();

using byte_pointer = const unsigned char*;

inline bool read_varint(byte_pointer& at, byte_pointer end, std::uint64_t& value) {
  if (at == end) return false;
  value = *at++;
  if (value < 0x80) return true;  // most are
  value &= 0x7f;
  for (unsigned shift = 7; shift < 64 && at != end; shift += 7) {
    std::uint64_t const byte = *at++;
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

bool walk(kind message, byte_pointer at, byte_pointer end, std::uint64_t& sum) {
  while (at != end) {
    std::uint64_t tag = 0;
    if (!read_varint(at, end, tag)) return false;
    auto const field = tag >> 3;
    auto const left = static_cast<std::size_t>(end - at);
    std::uint64_t value = 0;
    switch (tag & 7) {
      case 0:
        if (!read_varint(at, end, value)) return false;
        sum += value;
        break;
      case 1:
        if (left < 8) return false;
        for (unsigned i = 0; i < 8; ++i) value |= std::uint64_t{at[i]} << (8 * i);
        at += 8;
        sum += value;
        break;
      case 2: {
        if (!read_varint(at, end, value)) return false;
        if (value > static_cast<std::size_t>(end - at)) return false;
        auto const child = field < field_bound ? child_of[message][field] : leaf;
        if (child == leaf)
          sum += value;
        else if (!walk(child, at, at + value, sum))
          return false;
        at += value;
        break;
      }
      case 5:
        if (left < 4) return false;
        for (unsigned i = 0; i < 4; ++i) value |= std::uint64_t{at[i]} << (8 * i);
        at += 4;
        sum += value;
        break;
      default:
        return false;
    }
  }
  return true;
}

}  // namespace

std::uint64_t scan(std::span<const std::byte> bytes) {
  auto const begin = reinterpret_cast<byte_pointer>(bytes.data());
  std::uint64_t sum = 0;
  return walk(trace, begin, begin + bytes.size(), sum) ? sum : 0;
}

}  // namespace profile_relay::bench
