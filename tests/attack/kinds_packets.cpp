// Many packets, of which each costs little.
#include <vector>

#include "kinds.hpp"
#include "packing.hpp"
#include "proto/fields.hpp"
#include "recorder.hpp"

namespace attack {
namespace {

namespace fields = profile_relay::proto::fields;
namespace tp = fields::trace_packet;
namespace id = fields::interned_data;

std::uint64_t const one[] = {1};

recorder begun(std::uint32_t sequence = 1) {
  recorder r(sequence);
  r.clear().function(1, "f").frame(1, 1).callstack(1, one);
  return r;
}

message perf(std::uint64_t callstack) {
  return message().num(fields::perf_sample::tid, 1).num(fields::perf_sample::callstack_iid, callstack);
}

std::string empty_packets(std::size_t n) {
  std::string out;
  for (std::size_t i = 0; i < n; ++i) out += entry(message());
  return out;
}

std::string empty_in_bundle(std::size_t n) { return zlib_bundle(empty_packets(n)); }

std::string bundles(std::size_t n) {
  std::string const bundle = zlib_bundle(entry(message().num(tp::timestamp, 1)));
  std::string out;
  for (std::size_t i = 0; i < n; ++i) out += bundle;
  return out;
}

std::string inflating(std::size_t n) { return zlib_bundle(entry(message().text(900, std::string(n, 'a')))); }

std::string defaults(std::size_t n) {
  namespace d = fields::trace_packet_defaults;
  auto r = begun();
  for (std::uint64_t i = 1; i <= n; ++i)
    r.packet(message()
                 .num(tp::timestamp, i)
                 .sub(tp::trace_packet_defaults, message().num(d::timestamp_clock_id, i % 2 == 0 ? 3 : 6))
                 .sub(tp::perf_sample, perf(1)));
  return clock_snapshot() + r.take();
}

std::string large_defaults(std::size_t n) {
  namespace d = fields::trace_packet_defaults;
  message timebase;
  for (int i = 0; i < 200; ++i) timebase.num(fields::perf_events_timebase::counter, 1);
  message const large =
      message().sub(d::perf_sample_defaults, message().sub(fields::perf_sample_defaults::timebase, timebase));
  auto r = begun();
  for (std::uint64_t i = 1; i <= n; ++i) {
    r.packet(message().sub(tp::trace_packet_defaults, i % 2 == 0 ? large : message()));
    r.sample(1);
  }
  return clock_snapshot() + r.take();
}

std::string sequences(std::size_t n) {
  constexpr std::size_t width = 1'000;
  std::string out = clock_snapshot();
  for (std::uint32_t q = 1; q <= width; ++q) out += begun(q).take();
  for (std::size_t i = 0; i < n; ++i)
    out += entry(message()
                     .num(tp::trusted_packet_sequence_id, 1 + i % width)
                     .num(tp::sequence_flags, 2)
                     .num(tp::timestamp, 2'000 + i)
                     .sub(tp::perf_sample, perf(1)));
  return out;
}

std::string reversed(std::size_t n) {
  auto r = begun();
  for (std::size_t i = 0; i < n; ++i)
    r.packet(message().num(tp::timestamp, 1'000'000 * (n - i)).sub(tp::perf_sample, perf(1)));
  return clock_snapshot() + r.take();
}

std::string without_time(std::size_t n) {
  auto r = begun();
  for (std::size_t i = 0; i < n; ++i) {
    if (i % 3 == 0) r.packet(message().num(tp::timestamp, 1'000 + i).text(tp::track_event, {}));
    r.packet(message().sub(tp::perf_sample, perf(1)));
  }
  return clock_snapshot() + r.take();
}

std::string contexts(std::size_t n) {
  // Samples whose context is interned only afterwards.
  namespace s = fields::stack_sample;
  namespace t = fields::stack_sample_task_context;
  auto r = begun();
  for (std::uint64_t i = 1; i <= n; ++i)
    r.packet(message()
                 .num(tp::timestamp, i)
                 .sub(tp::stack_sample, message()
                                            .num(s::task_context_iid, i)
                                            .num(s::primary_descriptor_iid, 1)
                                            .num(s::callstack_iid, 1)));
  for (std::uint64_t i = 1; i <= n; ++i)
    r.intern(id::stack_sample_task_contexts, message().num(t::iid, i).num(t::pid, 1).num(t::tid, i));
  r.intern(id::stack_sample_counter_descriptors, message().num(1, 1).num(3, 1));
  return clock_snapshot() + r.take();
}

std::string streaming(std::size_t n) {
  namespace t = fields::thread_descriptor;
  namespace s = fields::streaming_profile_packet;
  auto r = begun();
  r.packet(message()
               .num(tp::timestamp, 1)
               .sub(tp::thread_descriptor,
                    message().num(t::pid, 1).num(t::tid, 1).num(t::reference_timestamp_us, 1'000)));
  std::vector<std::uint64_t> const ids(10, 1), deltas(20, 100);
  for (std::size_t i = 0; i < n; ++i)
    r.packet(message().sub(tp::streaming_profile_packet,
                           message().each(s::callstack_iid, ids).each(s::timestamp_delta_us, deltas)));
  return clock_snapshot() + r.take();
}

constexpr kind kinds[] = {
    {"empty-packets", empty_packets, 50'000, "empty packets"},
    {"empty-in-bundle", empty_in_bundle, 50'000, "empty packets of one bundle"},
    {"bundles", bundles, 500, "bundles of one packet"},
    {"inflating", inflating, 500'000, "inflated bytes"},
    {"defaults", defaults, 4'000, "packets that change the defaults"},
    {"large-defaults", large_defaults, 1'000, "packets with 400 bytes of defaults"},
    {"sequences", sequences, 10'000, "packets of a thousand sequences in turn"},
    {"reversed", reversed, 4'000, "samples, latest first"},
    {"without-time", without_time, 4'000, "samples without a timestamp"},
    {"contexts", contexts, 2'000, "samples whose contexts come later"},
    {"streaming", streaming, 500, "streaming packets of ten samples"},
};

}  // namespace

std::span<const kind> kinds_of_packets() { return kinds; }

}  // namespace attack
