// Small inputs that stand for a large output. Through profile::expand the output, at most max_profile_size, comes on top of the
// budgets.
#include <catch2/catch.hpp>
#include <numeric>
#include <vector>

#include "kinds.hpp"
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
constexpr std::size_t output = 50 * MiB;  // max_profile_size

std::size_t expanded_cap(pd::limits const& lim = {}) { return budgets_of(lim) + output; }

message lines(std::size_t count, std::string const& function, bool numbered) {
  namespace a = fields::address_symbols;
  message m;
  m.num(a::address, 1);
  for (std::size_t i = 0; i < count; ++i)
    m.sub(a::lines, message().text(1, function).num(3, numbered ? i : 7));
  return m;
}

/// One frame of lib.so with symbols, in samples of different threads; `stacks` times it stands in a stack.
std::string symbolized(message const& symbols, std::size_t in_a_stack, std::size_t stacks) {
  recorder r;
  r.clear().name(id::mapping_paths, 1, "lib.so").mapping(1, 0x1000, one).frame(1, 0, 1, 1);
  for (std::size_t k = 1; k <= stacks; ++k) {
    r.callstack(k, std::vector<std::uint64_t>(in_a_stack - (k - 1) % in_a_stack, 1));
    r.sample(k, 1).sample(k, 1).sample(k, 2).sample(k, 2);
  }
  message const module = message().text(1, "/lib.so").sub(3, symbols);
  return clock_snapshot() + r.take() + entry(message().sub(tp::module_symbols, module));
}

void check_ends(outcome const& o) {
  CHECK_FALSE(o.bad_alloc);
  CHECK(o.peak <= o.cap);
}

void check_both(std::string const& name, std::string const& trace) {
  INFO(name);
  for (auto const f : {form::plain, form::zlib_bundles}) {
    auto const packed = pack(trace, f);
    check_ends(decode_under(name + ", " + name_of(f), packed, budgets_of({})));
    check_ends(expand_under(name + ", " + name_of(f), packed, expanded_cap()));
  }
}

}  // namespace

TEST_CASE("symbols: a million lines of one frame") {
  check_both("400,000 equal lines", symbolized(lines(400'000, "", false), 1, 1));
  check_both("400,000 numbered lines", symbolized(lines(400'000, "", true), 1, 1));
  check_both("2,000 lines, 1,000 frames deep", symbolized(lines(2'000, "inlined", true), 1'000, 1'000));
  check_both("2,000 lines of 2 KB each", symbolized(lines(2'000, std::string(2'000, 'l'), true), 10, 10));
}

TEST_CASE("symbols of a module many times over") {
  std::string trace = symbolized(lines(1, "a", false), 1, 1);
  for (int i = 0; i < 10; ++i)
    trace += entry(
        message().sub(tp::module_symbols, message().text(1, "/lib.so").sub(3, lines(300'000, "", false))));
  check_both("ten times 300,000 lines", trace);
}

TEST_CASE("samples of a thousand inlined frames of 4 KB") {
  recorder r;
  r.clear();
  for (int i = 0; i < 11; ++i) {
    message stack;
    for (int k = 0; k < 1'000; ++k)
      stack.sub(1, message().text(1, std::string(4'000, 'f') + std::to_string(k)));
    r.packet(message()
                 .num(tp::timestamp, 1'000'000u * static_cast<unsigned>(i + 1))
                 .sub(tp::stack_sample, message().sub(5, stack).sub(1, message().num(2, 1).num(3, 1))));
  }
  check_both("eleven samples of the same 1,000 inlined frames", clock_snapshot() + r.take());
}

TEST_CASE("long names of threads") {
  namespace t = fields::thread_descriptor;
  recorder r;
  r.clear().function(1, "f").frame(1, 1).callstack(1, one);
  for (std::uint64_t i = 1; i <= 20; ++i) {
    r.packet(message()
                 .num(tp::timestamp, i)
                 .sub(tp::thread_descriptor, message().num(t::pid, 1).num(t::tid, i).text(
                                                 t::thread_name, std::string(2 * MiB, 'n'))));
    r.sample(1, static_cast<std::uint32_t>(i)).sample(1, static_cast<std::uint32_t>(i));
  }
  check_both("20 thread names of 2 MiB", clock_snapshot() + r.take());
}

TEST_CASE("a path of 39 parts of 512 KiB") {
  recorder r;
  r.clear().name(id::mapping_paths, 1, std::string(512u << 10, 'p'));
  r.mapping(1, 0x1000, std::vector<std::uint64_t>(39, 1))
      .frame(1, 0, 1, 1)
      .callstack(1, one)
      .sample(1)
      .sample(1);
  check_both("path of 39 parts of 512 KiB", clock_snapshot() + r.take());
}

TEST_CASE("4,096 sequences with an interval that stays open") {
  std::string out = clock_snapshot();
  for (std::uint32_t q = 1; q <= 4'096; ++q) {
    recorder r(q);
    r.clear();
    for (std::uint64_t i = 1; i <= 100; ++i) r.function(i, "name" + std::to_string(q * 100 + i));
    out += r.frame(1, 1).callstack(1, one).sample(1, q).take();
  }
  check_both("4,096 open intervals", out);
}

TEST_CASE("both budgets full of what is really kept") {
  // Copies in both, and as many samples as there may be: what is charged too low shows in the sum.
  recorder r;
  r.clear().function(1, "f").frame(1, 1).callstack(1, one);
  for (std::uint64_t i = 2; i < 2'600; ++i) r.function(i, std::string(4'000, 'w'));
  std::string out = clock_snapshot();
  for (int i = 0; i < 27; ++i)
    out += entry(message().sub(tp::module_symbols, message().text(1, std::string(MiB - 100, 's'))));
  r.flush();
  for (std::uint32_t i = 0; i < 99'000; ++i) r.sample(1, 1 + i % 2);
  check_both("both budgets full", out + r.take());
}

TEST_CASE("the largest tables go through the whole conversion") {
  struct row {
    char const* kind;
    std::size_t n;
  };
  // Each thread needs two samples to be shown.
  for (auto const& x : {row{"frames", 150'000}, row{"mappings", 100'000}, row{"stacks", 50'000},
                        row{"tasks", 49'000}, row{"symbols", 100'000}, row{"inline-stacks", 50'000}}) {
    INFO(x.kind);
    check_ends(expand_under(x.kind, find_kind(x.kind)->make(x.n), expanded_cap()));
  }
}
