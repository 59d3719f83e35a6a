// S1 to S7 of perfetto-decoding 14.10, as they stand and packed: 16 MiB above the input, whatever they say.
#include <catch2/catch.hpp>
#include <numeric>
#include <vector>

#include "packing.hpp"
#include "perfetto_decode/limits.hpp"
#include "proto/fields.hpp"
#include "recorder.hpp"
#include "run.hpp"

using namespace attack;
using pd::errc;

namespace {

namespace id = profile_relay::proto::fields::interned_data;

constexpr std::size_t cap = 16 * MiB;
// With its headers one packet, and so one interned string, of nearly 4 MiB.
constexpr std::size_t largest = 4 * MiB - 64;

std::vector<std::uint64_t> numbers(std::uint64_t from, std::size_t count) {
  std::vector<std::uint64_t> v(count);
  std::iota(v.begin(), v.end(), from);
  return v;
}

outcome run_as(form f, std::string const& name, std::string const& trace) {
  return decode_under(name + ", " + name_of(f), pack(clock_snapshot() + trace, f), cap);
}

}  // namespace

TEST_CASE("S1: one name of 4 MiB in many frames") {
  recorder r;
  r.clear().function(1, std::string(largest, 'f'));
  std::uint64_t const path[] = {1};
  r.name(id::mapping_paths, 1, "libx.so").mapping(1, 0x1000, path);
  for (std::uint64_t i = 1; i <= 1'000; ++i) r.frame(i, 1, 1, i);
  auto const trace = r.callstack(1, numbers(1, 1'000)).sample(1).take();
  for (auto const f : all_forms) {
    INFO(name_of(f));
    check_refused_by_budget(run_as(f, "S1", trace));
  }
  check_refused(run_as(form::plain, "S1", trace), errc::result_memory);
}

TEST_CASE("S2: one path of 4 MiB in many mappings") {
  recorder r;
  r.clear().name(id::mapping_paths, 1, std::string(largest - 3, 'p') + ".so");
  std::uint64_t const path[] = {1};
  for (std::uint64_t i = 1; i <= 1'000; ++i) r.mapping(i, i << 12, path).frame(i, 0, i, i);
  auto const trace = r.callstack(1, numbers(1, 1'000)).sample(1).take();
  for (auto const f : all_forms) {
    INFO(name_of(f));
    check_refused_by_budget(run_as(f, "S2", trace));
  }
  check_refused(run_as(form::plain, "S2", trace), errc::result_memory);
}

TEST_CASE("S3: a segment of 512 KiB, 100 times in one path") {
  recorder r;
  r.clear().name(id::mapping_paths, 1, std::string(512u << 10, 'p'));
  std::vector<std::uint64_t> const path(100, 1);
  auto const trace =
      r.mapping(1, 0x1000, path).frame(1, 0, 1, 1).callstack(1, numbers(1, 1)).sample(1).take();
  for (auto const f : all_forms) {
    INFO(name_of(f));
    check_refused(run_as(f, "S3", trace), errc::result_memory);
  }
}

TEST_CASE("S4: a callstack of a million ids") {
  std::vector<std::uint64_t> const ids(1'000'000, 1);
  recorder unused, used;
  auto const good = numbers(1, 1);
  auto const begin = [&](recorder& r) -> recorder& {
    return r.clear().function(1, "f").frame(1, 1).callstack(1, ids).callstack(2, good);
  };
  auto const harmless = begin(unused).sample(2).take();
  auto const deep = begin(used).sample(1).take();
  for (auto const f : all_forms) {
    INFO(name_of(f));
    auto const o = run_as(f, "S4 unused", harmless);
    check_success(o);
    CHECK(o.samples == 1);
    check_refused(run_as(f, "S4 used", deep), errc::callstack_too_deep);
  }
}

TEST_CASE("S4: what no sample uses costs nothing, however much there is of it") {
  // Copied, these forty would need 38 MiB of 15.
  std::vector<std::uint64_t> const ids(1'000'000, 1);
  recorder r;
  r.clear().function(1, "f").frame(1, 1);
  for (std::uint64_t i = 2; i < 42; ++i) r.callstack(i, ids);
  auto const trace = r.callstack(1, numbers(1, 1)).sample(1).take();
  for (auto const f : all_forms) {
    INFO(name_of(f));
    auto const o = run_as(f, "S4 forty unused", trace);
    check_success(o);
    CHECK(o.samples == 1);
  }
}

TEST_CASE("S5: a million empty strings and no sample") {
  // Dense ids index an array, sparse ones need a table of their own.
  for (std::uint64_t const step : {std::uint64_t{1}, std::uint64_t{1} << 40}) {
    recorder r;
    r.clear();
    for (std::uint64_t i = 1; i <= 1'000'000; ++i) r.function(i * step, "");
    auto const trace = r.take();
    for (auto const f : all_forms) {
      INFO(name_of(f) << ", iids " << step << " apart");
      check_refused(run_as(f, step == 1 ? "S5" : "S5 sparse", trace), errc::working_memory);
    }
  }
}

TEST_CASE("S6: 50,000 sequences") {
  std::string bare, with_interval, of_machines;
  for (std::uint32_t i = 1; i <= 50'000; ++i) {
    bare += recorder(i).packet(message()).take();
    with_interval += recorder(i).clear().function(1, "f").take();
    of_machines += recorder(1, i).clear().take();
  }
  for (auto const f : all_forms) {
    INFO(name_of(f));
    check_refused(run_as(f, "S6", bare), errc::too_many_sequences);
    // zstd's window counts too, so with tables for each sequence the budget may be met before their number is.
    auto const o = run_as(f, "S6 with intervals", with_interval);
    bool const zstd = f == form::zstd_bundles || f == form::zstd_file;
    if (zstd && o.refused == errc::working_memory)
      check_refused(o, errc::working_memory);
    else
      check_refused(o, errc::too_many_sequences);
    check_refused(run_as(f, "S6 on machines of their own", of_machines), errc::too_many_sequences);
  }
}

TEST_CASE("S7: strings of 4 MiB and one clear in 28 MiB") {
  recorder r;
  r.clear();
  for (std::uint64_t i = 1; i <= 7; ++i) r.function(i, std::string(largest, static_cast<char>('a' + i)));
  auto const trace = r.take();
  // As they stand, interned bytes are views of the input: nothing is taken, so nothing is refused.
  check_success(run_as(form::plain, "S7", trace));
  for (auto const f : {form::zlib_bundles, form::zstd_bundles, form::gzip_file, form::zstd_file}) {
    INFO(name_of(f));
    check_refused(run_as(f, "S7", trace), errc::working_memory);
  }
}
