#include "sdk/trace/trace_packets.hpp"

#include <protozero/pbf_writer.hpp>

#include "proto/fields.hpp"

namespace profile_relay::sdk {
namespace {

namespace f = proto::fields;
using protozero::pbf_writer;

// Values of enumerations: BuiltinClock and PerfEvents.Counter.
constexpr std::uint32_t realtime = 1, monotonic = 3, boottime = 6;
constexpr std::int32_t sw_cpu_clock = 1;
constexpr std::uint64_t frequency = 101;

// A thread's is its process's plus its tid, which is never 0.
std::uint64_t track_uuid(std::int32_t pid, std::int32_t tid) {
  return (std::uint64_t{static_cast<std::uint32_t>(pid)} << 32) | static_cast<std::uint32_t>(tid);
}

void add_clock(pbf_writer& snapshot, std::uint32_t id, std::int64_t ns) {
  pbf_writer clock(snapshot, f::clock_snapshot::clocks);
  clock.add_uint32(f::clock_snapshot_clock::clock_id, id);
  clock.add_uint64(f::clock_snapshot_clock::timestamp, static_cast<std::uint64_t>(ns));
}

void begin_packet(pbf_writer& packet, std::int64_t boottime_ns) {
  packet.add_uint64(f::trace_packet::timestamp, static_cast<std::uint64_t>(boottime_ns));
  packet.add_uint32(f::trace_packet::trusted_packet_sequence_id, sequence_id);
}

}  // namespace

void add_clock_snapshot(std::string& out, clock_reading const& now) {
  pbf_writer trace(out);
  pbf_writer packet(trace, f::trace::packet);
  pbf_writer snapshot(packet, f::trace_packet::clock_snapshot);
  add_clock(snapshot, boottime, now.boottime_ns);
  add_clock(snapshot, realtime, now.realtime_ns);
  add_clock(snapshot, monotonic, now.monotonic_ns);
  snapshot.add_uint32(f::clock_snapshot::primary_trace_clock, boottime);
}

void add_defaults(std::string& out, std::int64_t boottime_ns) {
  pbf_writer trace(out);
  pbf_writer packet(trace, f::trace::packet);
  begin_packet(packet, boottime_ns);
  packet.add_uint32(f::trace_packet::sequence_flags, incremental_state_cleared);
  // The defaults' own clock applies to this packet too.
  pbf_writer defaults(packet, f::trace_packet::trace_packet_defaults);
  {
    pbf_writer perf(defaults, f::trace_packet_defaults::perf_sample_defaults);
    pbf_writer timebase(perf, f::perf_sample_defaults::timebase);
    timebase.add_uint64(f::perf_events_timebase::frequency, frequency);
    timebase.add_enum(f::perf_events_timebase::counter, sw_cpu_clock);
  }
  defaults.add_uint32(f::trace_packet_defaults::timestamp_clock_id, boottime);
}

void add_process_track(std::string& out, std::int64_t boottime_ns, std::int32_t pid, std::string_view name) {
  pbf_writer trace(out);
  pbf_writer packet(trace, f::trace::packet);
  begin_packet(packet, boottime_ns);
  pbf_writer track(packet, f::trace_packet::track_descriptor);
  track.add_uint64(f::track_descriptor::uuid, track_uuid(pid, 0));
  pbf_writer process(track, f::track_descriptor::process);
  process.add_int32(f::process_descriptor::pid, pid);
  process.add_string(f::process_descriptor::process_name, name.data(), name.size());
}

void add_thread_track(std::string& out, std::int64_t boottime_ns, std::int32_t pid, std::int32_t tid,
                      std::string_view name) {
  pbf_writer trace(out);
  pbf_writer packet(trace, f::trace::packet);
  begin_packet(packet, boottime_ns);
  pbf_writer track(packet, f::trace_packet::track_descriptor);
  track.add_uint64(f::track_descriptor::uuid, track_uuid(pid, tid));
  track.add_uint64(f::track_descriptor::parent_uuid, track_uuid(pid, 0));
  pbf_writer thread(track, f::track_descriptor::thread);
  thread.add_int32(f::thread_descriptor::pid, pid);
  thread.add_int64(f::thread_descriptor::tid, tid);
  if (!name.empty()) thread.add_string(f::thread_descriptor::thread_name, name.data(), name.size());
}

void add_sample(std::string& out, std::int64_t boottime_ns, std::int32_t pid, std::int32_t tid,
                std::uint64_t callstack_iid, std::string_view interned) {
  pbf_writer trace(out);
  pbf_writer packet(trace, f::trace::packet);
  begin_packet(packet, boottime_ns);
  packet.add_uint32(f::trace_packet::sequence_flags, needs_incremental_state);
  if (!interned.empty()) packet.add_message(f::trace_packet::interned_data, interned.data(), interned.size());
  pbf_writer sample(packet, f::trace_packet::perf_sample);
  sample.add_uint32(f::perf_sample::pid, static_cast<std::uint32_t>(pid));
  sample.add_uint32(f::perf_sample::tid, static_cast<std::uint32_t>(tid));
  sample.add_uint64(f::perf_sample::callstack_iid, callstack_iid);
}

}  // namespace profile_relay::sdk
