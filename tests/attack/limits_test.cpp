// Each limit of perfetto-decoding 14.9 from both sides.
#include <catch2/catch.hpp>
#include <numeric>
#include <vector>

#include "packing.hpp"
#include "proto/fields.hpp"
#include "recorder.hpp"
#include "run.hpp"

using namespace attack;
using pd::errc;

namespace {

namespace fields = profile_relay::proto::fields;
namespace tp = fields::trace_packet;
namespace id = fields::interned_data;

std::uint64_t const one[] = {1};

std::vector<std::uint64_t> numbers(std::size_t count) {
  std::vector<std::uint64_t> v(count);
  std::iota(v.begin(), v.end(), 1);
  return v;
}

outcome run(std::string const& name, std::string const& trace, pd::limits const& lim = {}) {
  return decode_under(name, trace, budgets_of(lim), lim);
}

std::string empty_packets(std::size_t n) {
  std::string out;
  for (std::size_t i = 0; i < n; ++i) out += entry(message());
  return out;
}

std::string samples(std::size_t n) {
  recorder r;
  r.clear().function(1, "f").frame(1, 1).callstack(1, one).flush();
  for (std::size_t i = 0; i < n; ++i) r.sample(1);
  return clock_snapshot() + r.take();
}

std::string stack_of_depth(std::size_t depth, bool used) {
  recorder r;
  r.clear().function(1, "f").frame(1, 1);
  r.callstack(1, std::vector<std::uint64_t>(depth, 1)).callstack(2, one);
  return clock_snapshot() + r.sample(used ? 1 : 2).take();
}

}  // namespace

TEST_CASE("packets: the number itself is refused, wherever they stand") {
  check_success(run("109,999 packets", empty_packets(109'999)));
  check_refused(run("110,000 packets", empty_packets(110'000)), errc::too_many_packets);
  // A bundle is a packet, and so is each of those inside.
  check_success(run("109,999 packets with their bundle", zlib_bundle(empty_packets(109'998))));
  check_refused(run("110,000 packets with their bundle", zlib_bundle(empty_packets(109'999))),
                errc::too_many_packets);
  check_refused(run("110,000 packets in gzip", gzip(empty_packets(110'000))), errc::too_many_packets);
  pd::limits lim;
  lim.packets = 10;
  check_success(run("9 of 10 packets", empty_packets(9), lim));
  check_refused(run("10 of 10 packets", empty_packets(10), lim), errc::too_many_packets);
}

TEST_CASE("samples: the number itself is refused, whatever their kind") {
  check_success(run("99,999 samples", samples(99'999)));
  check_refused(run("100,000 samples", samples(100'000)), errc::too_many_samples);
  // Streaming samples count each, also those that are dropped for want of a time.
  auto const streaming = [](std::size_t n, bool with_time) {
    message body;
    body.packed(1, std::vector<std::uint64_t>(n, 1)).packed(2, std::vector<std::uint64_t>(n, 1));
    message packet;
    if (with_time) packet.num(tp::timestamp, 1);
    return clock_snapshot() +
           recorder().clear().packet(packet.sub(tp::streaming_profile_packet, body)).take();
  };
  for (bool const with_time : {true, false}) {
    check_success(run("99,999 streaming samples", streaming(99'999, with_time)));
    check_refused(run("100,000 streaming samples", streaming(100'000, with_time)), errc::too_many_samples);
  }
  pd::limits lim;
  lim.samples = 10;
  check_success(run("9 of 10 samples", samples(9), lim));
  check_refused(run("10 of 10 samples", samples(10), lim), errc::too_many_samples);
}

TEST_CASE("depth: a stack of the limit passes, a deeper one only unused") {
  for (auto const f : all_forms) {
    INFO(name_of(f));
    auto const as = [&](std::string const& t) { return pack(t, f); };
    check_success(run("depth 1,000", as(stack_of_depth(1'000, true))));
    check_refused(run("depth 1,001", as(stack_of_depth(1'001, true))), errc::callstack_too_deep);
    check_success(run("depth 1,001 unused", as(stack_of_depth(1'001, false))));
  }
  auto const inline_stack = [](std::size_t depth) {
    message stack;
    for (std::size_t i = 0; i < depth; ++i) stack.sub(1, message().text(1, "f"));
    message const sample = message().sub(fields::stack_sample::callstack, stack);
    return clock_snapshot() +
           recorder().clear().packet(message().num(tp::timestamp, 1).sub(tp::stack_sample, sample)).take();
  };
  check_success(run("inline depth 1,000", inline_stack(1'000)));
  check_refused(run("inline depth 1,001", inline_stack(1'001)), errc::callstack_too_deep);
  pd::limits lim;
  lim.callstack_depth = 5;
  check_success(run("depth 5 of 5", stack_of_depth(5, true), lim));
  check_refused(run("depth 6 of 5", stack_of_depth(6, true), lim), errc::callstack_too_deep);
}

TEST_CASE("path: a hundred parts are a path, one more is none and counted") {
  auto const path_of = [](std::size_t parts) {
    recorder r;
    r.clear().name(id::mapping_paths, 1, "p").mapping(1, 0x1000, std::vector<std::uint64_t>(parts, 1));
    return clock_snapshot() + r.frame(1, 0, 1, 1).callstack(1, one).sample(1).take();
  };
  auto const fits = run("path of 100 parts", path_of(100));
  check_success(fits);
  CHECK(fits.counts[pd::counter::mapping_path_too_long] == 0);
  auto const does_not = run("path of 101 parts", path_of(101));
  check_success(does_not);
  CHECK(does_not.counts[pd::counter::mapping_path_too_long] == 1);
  CHECK(does_not.samples == 1);
  // A path of a million parts costs no more than one of 101.
  check_success(decode_under("path of a million parts", path_of(1'000'000), MiB));
}

TEST_CASE("sequences: the 4,097th is refused, those that are known go on") {
  auto const on = [](std::uint32_t sequences, std::uint32_t rounds) {
    std::string out;
    for (std::uint32_t r = 0; r < rounds; ++r)
      for (std::uint32_t s = 1; s <= sequences; ++s) out += recorder(s).packet(message()).take();
    return out;
  };
  check_success(run("4,096 sequences", on(4'096, 3)));
  check_refused(run("4,097 sequences", on(4'097, 1)), errc::too_many_sequences);
  pd::limits lim;
  lim.sequences = 3;
  check_success(run("3 of 3 sequences", on(3, 100), lim));
  check_refused(run("4 of 3 sequences", on(4, 1), lim), errc::too_many_sequences);
}

TEST_CASE("frames: the limit passes, one more distinct frame does not") {
  auto const frames = [](std::size_t n) {
    recorder r;
    r.clear().function(1, "f").mapping(1, 0x1000, {});
    for (std::uint64_t i = 1; i <= n; ++i) r.frame(i, 1, 1, i);
    return clock_snapshot() + r.callstack(1, numbers(n)).sample(1).take();
  };
  pd::limits lim;
  lim.frames = 500;
  check_success(run("500 of 500 frames", frames(500), lim));
  check_refused(run("501 of 500 frames", frames(501), lim), errc::too_many_frames);
}

TEST_CASE("inflated bytes: those of all bundles together") {
  auto const packet = entry(message().text(900, std::string(1'000, 'a')));
  pd::limits lim;
  lim.inflated_bytes = 3 * packet.size();
  auto const bundles = [&](std::size_t n) {
    std::string out;
    for (std::size_t i = 0; i < n; ++i) out += i % 2 == 0 ? zlib_bundle(packet) : zstd_bundle(packet);
    return out;
  };
  check_success(run("inflated 3 of 3", bundles(3), lim));
  check_refused(run("inflated 4 of 3", bundles(4), lim), errc::too_many_inflated);
  // A compressed file inflates too; a bundle in it, once more.
  check_success(run("inflated file 3 of 3", gzip(packet + packet + packet), lim));
  check_refused(run("inflated file 4 of 3", gzip(packet + packet + packet + packet), lim),
                errc::too_many_inflated);
}

TEST_CASE("budgets: each refuses what the other has no part in") {
  recorder r;
  r.clear();
  for (std::uint64_t i = 1; i <= 10'000; ++i) r.function(i, "");
  pd::limits lim;
  lim.working_bytes = 100'000;
  check_refused(run("10,000 strings in 100 KB of tables", r.take(), lim), errc::working_memory);
  lim = {};
  lim.result_bytes = 100'000;
  check_refused(run("10,000 samples in 100 KB of results", samples(10'000), lim), errc::result_memory);
}

TEST_CASE("what a clear ends is given back") {
  // 200 MiB of copied strings, 1 MiB to an interval, in 15 MiB of working memory.
  pd::limits lim;
  lim.inflated_bytes = 256 * MiB;
  recorder r;
  for (std::uint32_t i = 0; i < 200; ++i) {
    r.clear();
    for (std::uint64_t k = 1; k <= 256; ++k)
      r.function(k, std::string(4'096, static_cast<char>('a' + i % 26)));
    r.frame(1, 1).callstack(1, one).sample(1);
  }
  auto const trace = clock_snapshot() + r.take();
  for (auto const f : {form::zlib_bundles, form::zstd_bundles, form::gzip_file, form::zstd_file}) {
    auto const o = run(std::string("200 intervals of 1 MiB, ") + name_of(f), pack(trace, f), lim);
    check_success(o);
    CHECK(o.samples == 200);
  }
  // The same without clears needs more than there is.
  recorder kept;
  kept.clear();
  for (std::uint64_t k = 1; k <= 200 * 256; ++k) kept.function(k, std::string(4'096, 'a'));
  check_refused(run("one interval of 200 MiB", pack(kept.take(), form::zlib_bundles), lim),
                errc::working_memory);
}

TEST_CASE("the largest ordinary profile is accepted") {
  // Nearly the limit of samples, every one with a stack of its own, forty of twenty thousand named frames deep: what an app
  // could send at worst. Packed, the interned stacks have to be copied, and fewer of them fit.
  auto const profile = [](std::size_t n) {
    recorder r;
    r.clear();
    for (std::uint64_t i = 1; i <= 20'000; ++i)
      r.function(i, "shop::catalog::ProductListController::render" + std::to_string(i) + "(item const&, int)")
          .frame(i, i);
    for (std::uint64_t i = 1; i <= n; ++i) {
      std::vector<std::uint64_t> ids;
      for (std::uint64_t k = 0; k < 40; ++k) ids.push_back(1 + (i * (k + 1) + i / 20'000) % 20'000);
      r.callstack(i, ids);
    }
    for (std::uint64_t i = 1; i <= n; ++i) r.sample(i, static_cast<std::uint32_t>(1 + i % 12));
    return clock_snapshot() + r.take();
  };
  check_success(run("99,998 stacks of 40 frames", profile(99'998)));
  for (auto const f : {form::zlib_bundles, form::zstd_bundles, form::gzip_file, form::zstd_file})
    check_success(run(std::string("40,000 stacks of 40 frames, ") + name_of(f), pack(profile(40'000), f)));
}
