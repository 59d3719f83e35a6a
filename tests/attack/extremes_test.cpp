// Numbers at the ends of their types, and traces cut anywhere.
#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>
#include <limits>

#include "packing.hpp"
#include "proto/fields.hpp"
#include "recorder.hpp"
#include "run.hpp"

using namespace attack;

namespace {

namespace fields = profile_relay::proto::fields;
namespace tp = fields::trace_packet;
namespace id = fields::interned_data;

std::uint64_t const one[] = {1};
constexpr std::uint64_t interesting[] = {0,
                                         1,
                                         0x7fff'ffff'ffff'ffff,
                                         0x8000'0000'0000'0000,
                                         0x8000'0000'0000'0001,
                                         0xffff'ffff'ffff'f000,
                                         0xffff'ffff'ffff'fffe,
                                         0xffff'ffff'ffff'ffff};

std::string read_trace(std::string const& name) {
  std::ifstream in(std::string(TEST_BUILD_DIR) + "/traces/" + name + ".pftrace", std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

TEST_CASE("deltas of streaming samples saturate") {
  namespace t = fields::thread_descriptor;
  namespace s = fields::streaming_profile_packet;
  for (auto const reference : interesting)
    for (auto const delta : interesting)
      for (auto const last : interesting) {
        recorder r;
        r.clear().function(1, "f").frame(1, 1).callstack(1, one);
        r.packet(message()
                     .num(tp::timestamp, 1)
                     .sub(tp::thread_descriptor,
                          message().num(t::pid, 1).num(t::tid, 1).num(t::reference_timestamp_us, reference)));
        std::uint64_t const ids[] = {1, 1, 1}, deltas[] = {delta, last, delta, last, last};
        for (int i = 0; i < 2; ++i)
          r.packet(message().sub(tp::streaming_profile_packet,
                                 message().each(s::callstack_iid, ids).each(s::timestamp_delta_us, deltas)));
        r.packet(message().sub(tp::track_event, message().num(1, delta)));
        auto const o = decode_under("deltas", clock_snapshot() + r.take(), MiB);
        check_success(o);
      }
}

TEST_CASE("addresses and times near 2^64") {
  namespace m = fields::mapping;
  for (auto const a : interesting)
    for (auto const b : interesting) {
      recorder r;
      r.clear()
          .function(1, "f")
          .name(id::mapping_paths, 1, "lib.so")
          .name(id::build_ids, 1, "0123456789abcdef");
      message mapping;
      mapping.num(m::iid, 1).num(m::start, a).num(m::end, b).num(m::load_bias, b).num(m::exact_offset, a);
      r.intern(id::mappings, mapping.num(m::start_offset, b).num(m::path_string_ids, 1).num(m::build_id, 1));
      r.frame(1, 1, 1, b).frame(2, 0, 1, a).callstack(1, one);
      std::uint64_t const two[] = {1, 2};
      r.callstack(2, two).sample(1).sample(2);
      message clock;
      clock.sub(1, message().num(1, 6).num(2, a)).sub(1, message().num(1, 3).num(2, b).num(4, a));
      clock.sub(1, message().num(1, 1).num(2, b)).sub(1, message().num(1, 64).num(2, b).num(3, 1).num(4, b));
      r.packet(message().sub(tp::clock_snapshot, clock));
      for (std::uint64_t const clock_id : {3u, 6u, 64u, 65u})
        r.packet(message()
                     .num(tp::timestamp, a)
                     .num(tp::timestamp_clock_id, clock_id)
                     .sub(tp::perf_sample, message().num(2, b).num(3, a).num(4, 2)));
      auto const trace = r.take();
      check_success(decode_under("extreme numbers", trace, MiB));
      // Whatever the times are, the conversion ends by a name too.
      auto const o = expand_under("extreme numbers", clock_snapshot() + trace, 2 * MiB);
      CHECK_FALSE(o.bad_alloc);
    }
}

TEST_CASE("all prefixes of a trace decode") {
  for (auto const* name : {"android_app", "mapping_paths", "clock_several_hops", "streaming_clear_and_loss",
                           "names_by_rank", "perf_unwind_error"}) {
    auto const trace = read_trace(name);
    REQUIRE(trace.size() > 100);
    for (auto const f : all_forms) {
      auto const packed = pack(trace, f);
      for (std::size_t size = 0; size < packed.size(); ++size) {
        INFO(name << ", " << name_of(f) << ", " << size << " bytes");
        // An exact copy, so that a sanitizer sees one byte too far.
        std::string const prefix(packed.data(), size);
        auto const o = decode_under("prefix", prefix, 16 * MiB);
        CHECK_FALSE(o.bad_alloc);
        if (o.refused) CHECK(*o.refused == pd::errc::unreadable);
      }
    }
  }
}

TEST_CASE("all single bytes of a trace may be wrong") {
  auto const trace = read_trace("android_app");
  for (std::size_t at = 0; at < trace.size(); ++at)
    for (int const flip : {0x01, 0x80, 0xff}) {
      std::string damaged = trace;
      damaged[at] = static_cast<char>(damaged[at] ^ flip);
      auto const o = decode_under("damaged", damaged, 16 * MiB);
      CHECK_FALSE(o.bad_alloc);
    }
}
