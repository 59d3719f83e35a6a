// One profile in each form that Perfetto has for samples, and each of them in every packing: the same Sample v2.
#include <catch2/catch.hpp>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "profile/expand.hpp"
#include "proto/trace.pb.h"
#include "tests/attack/packing.hpp"

using namespace profile_relay;
using nlohmann::json;
namespace pp = perfetto::protos;

namespace {

constexpr std::uint64_t boottime = 90'000'000'000, monotonic = 20'000'000'000;
constexpr std::uint64_t realtime = 1'790'000'000'000'000'000;
constexpr std::int32_t pid = 40;

/// What all forms say. Whole microseconds, because StreamingProfilePacket knows no finer ones.
struct sampled {
  std::uint64_t at_us;  ///< after the snapshot
  std::int32_t tid;
  std::uint64_t callstack;
};
std::vector<sampled> samples_of_all() {
  std::vector<sampled> out;
  for (std::uint64_t i = 0; i < 60; ++i) out.push_back({1'003 * i + 7, i % 3 == 0 ? 41 : 42, 1 + i % 5 % 3});
  return out;
}
const std::map<std::uint64_t, std::vector<std::uint64_t>> callstacks{
    {1, {1, 2, 3}}, {2, {1, 2}}, {3, {1, 4}}};
const std::map<std::uint64_t, std::string> functions{{1, "start"}, {2, "loop"}, {3, "decode"}, {4, "wait"}};

pp::TracePacket& packet(pp::Trace& t, std::uint32_t sequence) {
  auto& p = *t.add_packet();
  p.set_trusted_packet_sequence_id(sequence);
  return p;
}

void snapshot(pp::Trace& t) {
  auto& s = *packet(t, 1).mutable_clock_snapshot();
  s.set_primary_trace_clock(pp::BUILTIN_CLOCK_BOOTTIME);
  for (auto const& [id, reading] : {std::pair{6u, boottime}, {3u, monotonic}, {1u, realtime}}) {
    auto& c = *s.add_clocks();
    c.set_clock_id(id);
    c.set_timestamp(reading);
  }
}

/// A clear with the clock of the samples and everything that is interned.
pp::TracePacket& begin(pp::Trace& t, std::uint32_t sequence) {
  auto& p = packet(t, sequence);
  p.set_sequence_flags(pp::TracePacket::SEQ_INCREMENTAL_STATE_CLEARED);
  p.mutable_trace_packet_defaults()->set_timestamp_clock_id(3);
  auto& in = *p.mutable_interned_data();
  auto& path = *in.add_mapping_paths();
  path.set_iid(1);
  path.set_str("data/app/libshop.so");
  auto& m = *in.add_mappings();
  m.set_iid(1);
  m.set_start(0x7000);
  m.set_end(0x9000);
  m.add_path_string_ids(1);
  for (auto const& [iid, name] : functions) {
    auto& s = *in.add_function_names();
    s.set_iid(iid);
    s.set_str(name);
    auto& f = *in.add_frames();
    f.set_iid(iid);
    f.set_function_name_id(iid);
    f.set_mapping_id(1);
    f.set_rel_pc(0x100 * iid);
  }
  for (auto const& [iid, frames] : callstacks) {
    auto& c = *in.add_callstacks();
    c.set_iid(iid);
    for (auto const f : frames) c.add_frame_ids(f);
  }
  return p;
}

pp::TracePacket& stamped(pp::Trace& t, sampled const& s) {
  auto& p = packet(t, 2);
  p.set_sequence_flags(pp::TracePacket::SEQ_NEEDS_INCREMENTAL_STATE);
  p.set_timestamp(monotonic + s.at_us * 1'000);
  return p;
}

std::string as_perf_samples() {
  pp::Trace t;
  snapshot(t);
  begin(t, 2);
  for (auto const& s : samples_of_all()) {
    auto& perf = *stamped(t, s).mutable_perf_sample();
    perf.set_pid(pid);
    perf.set_tid(static_cast<std::uint32_t>(s.tid));
    perf.set_callstack_iid(s.callstack);
  }
  return t.SerializeAsString();
}

std::string as_stack_samples(bool inline_stacks) {
  pp::Trace t;
  snapshot(t);
  begin(t, 2);
  for (auto const& s : samples_of_all()) {
    auto& sample = *stamped(t, s).mutable_stack_sample();
    sample.mutable_task_context()->set_pid(pid);
    sample.mutable_task_context()->set_tid(static_cast<std::uint32_t>(s.tid));
    if (!inline_stacks) {
      sample.set_callstack_iid(s.callstack);
      continue;
    }
    for (auto const f : callstacks.at(s.callstack))
      sample.mutable_callstack()->add_frames()->set_function_name(functions.at(f));
  }
  return t.SerializeAsString();
}

/// A sequence for each thread, several samples to a packet, and an event between them that moves the time on.
std::string as_streaming_packets() {
  pp::Trace t;
  snapshot(t);
  for (std::int32_t const tid : {41, 42}) {
    auto const sequence = static_cast<std::uint32_t>(tid);
    begin(t, sequence);
    auto& d = *packet(t, sequence).mutable_thread_descriptor();
    d.set_pid(pid);
    d.set_tid(tid);
    d.set_reference_timestamp_us(monotonic / 1'000);
    std::uint64_t now = 0;
    pp::StreamingProfilePacket* open = nullptr;
    for (auto const& s : samples_of_all()) {
      if (s.tid != tid) continue;
      if (open == nullptr || open->callstack_iid_size() == 4) {
        packet(t, sequence).mutable_track_event()->set_timestamp_delta_us(3);
        now += 3;
        auto& p = packet(t, sequence);
        p.set_sequence_flags(pp::TracePacket::SEQ_NEEDS_INCREMENTAL_STATE);
        open = p.mutable_streaming_profile_packet();
      }
      open->add_callstack_iid(s.callstack);
      open->add_timestamp_delta_us(static_cast<std::int64_t>(s.at_us) - static_cast<std::int64_t>(now));
      now = s.at_us;
    }
  }
  return t.SerializeAsString();
}

std::string payload_of(std::string const& trace) {
  constexpr std::string_view metadata =
      R"({"chunk_id":"0123456789abcdef0123456789abcdef","profiler_id":"fedcba9876543210fedcba9876543210",)"
      R"("platform":"android","version":"2","client_sdk":{"name":"a","version":"1"}})";
  envelope::padded_copy const text(metadata), bytes(trace);
  envelope::raw_chunk chunk;
  chunk.shape = envelope::chunk_shape::perfetto;
  chunk.platform = "android";
  chunk.metadata = text.view();
  chunk.trace = bytes.view();
  auto out = profile_relay::profile::expand(chunk, {});
  if (!out.value) FAIL(out.value.error().what);
  CHECK_FALSE(out.notes.any_loss());
  return std::move(out.value->text);
}

/// Times, threads and function names, sample by sample.
json outline(std::string const& payload) {
  auto const p = json::parse(payload)["profile"];
  auto out = json::array();
  for (auto const& s : p["samples"]) {
    auto names = json::array();
    for (auto const& f : p["stacks"][s["stack_id"].get<std::size_t>()])
      names.push_back(p["frames"][f.get<std::size_t>()]["function"]);
    out.push_back({s["timestamp"], s["thread_id"], names});
  }
  return out;
}

}  // namespace

TEST_CASE("one profile in every form and packing gives one Sample v2") {
  auto const expected = payload_of(as_perf_samples());
  CHECK(json::parse(expected)["profile"]["samples"].size() == samples_of_all().size());
  CHECK(json::parse(expected)["profile"]["stacks"].size() == callstacks.size());
  CHECK(outline(expected)[0] == json::array({1790000000.000007, "41", {"decode", "loop", "start"}}));
  struct row {
    char const* form;
    std::string trace;
  };
  for (auto const& r :
       {row{"PerfSample", as_perf_samples()}, row{"StackSample by iid", as_stack_samples(false)},
        row{"StreamingProfilePacket", as_streaming_packets()}}) {
    for (auto const f : attack::all_forms) {
      INFO(r.form << ", " << attack::name_of(f));
      CHECK(payload_of(attack::pack(r.trace, f)) == expected);
    }
    INFO(r.form << ", a gzip stream in a bundle, and both codecs in one trace");
    pp::Trace whole;
    REQUIRE(whole.ParseFromString(r.trace));
    pp::Trace wrapped;
    wrapped.add_packet()->set_compressed_packets(attack::gzip(r.trace));
    CHECK(payload_of(wrapped.SerializeAsString()) == expected);
    pp::Trace first, rest;
    for (int i = 0; i < whole.packet_size(); ++i) *(i < 10 ? first : rest).add_packet() = whole.packet(i);
    CHECK(payload_of(attack::zlib_bundle(first.SerializeAsString()) +
                     attack::zstd_bundle(rest.SerializeAsString())) == expected);
  }
}

TEST_CASE("a StackSample with its stack inline agrees in times, threads and function names") {
  auto const expected = outline(payload_of(as_perf_samples()));
  for (auto const f : attack::all_forms) {
    INFO(attack::name_of(f));
    CHECK(outline(payload_of(attack::pack(as_stack_samples(true), f))) == expected);
  }
}
