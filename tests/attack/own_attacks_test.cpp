// Every kind of hostile trace at the size where a limit meets it, under its two budgets and 1 MiB (perfetto-decoding 14.10).
#include <algorithm>
#include <catch2/catch.hpp>
#include <string>

#include "kinds.hpp"
#include "packing.hpp"
#include "run.hpp"

using namespace attack;
using pd::errc;

namespace {

constexpr errc none = errc::unreadable;  // success
constexpr errc either =
    errc::unsupported_packing;  // success, or a budget: both are right, and both must be cheap

struct row {
  char const* kind;
  std::size_t n;
  errc expected;  ///< as it stands, with the default limits
};

// What ends each kind follows from the limits: 110,000 packets, 100,000 samples, 4 MiB a packet, 15 MiB of tables, 40 MiB
// of results, 4,096 sequences or machines.
row const rows[] = {
    // The largest that fit: what happens after the last packet counts as well.
    {"mappings", 140'000, either},
    {"frames", 190'000, either},
    {"sparse-iids", 90'000, either},
    {"backward-iids", 200'000, either},
    {"different-clock-sets", 25'000, either},
    {"growing-clock-sets", 225'000, either},
    {"clocks-pairwise", 32'000, either},
    {"clocks-in-one-snapshot", 48'000, either},
    {"sequence-clocks", 45'000, either},
    {"machines", 3'900, either},
    {"sync-rounds", 31'000, either},
    {"process-tree", 90'000, either},
    {"symbols", 138'000, either},
    // Those that a limit ends.
    {"mappings", 300'000, errc::working_memory},
    {"frames", 300'000, errc::working_memory},
    {"sparse-iids", 150'000, errc::working_memory},
    {"redefined-iids", 1'000'000, none},
    {"stacks", 50'000, none},
    {"deep-unused", 3'000'000, none},
    {"clears", 30'000, none},
    {"inline-stacks", 90'000, errc::result_memory},
    {"different-clock-sets", 50'000, errc::working_memory},
    {"growing-clock-sets", 1'000'000, errc::working_memory},
    {"same-clock-set", 50'000, none},
    {"clocks-pairwise", 50'000, errc::working_memory},
    {"clocks-in-one-snapshot", 90'000, errc::working_memory},
    {"sequence-clocks", 90'000, errc::working_memory},
    {"incremental-clock", 90'000, none},
    {"empty-clocks", 2'000'000, either},
    {"machines", 20'000, errc::too_many_sequences},
    {"sync-rounds", 100'000, none},
    {"sync-clocks", 4'000, none},
    {"tasks", 99'999, none},
    {"process-tree", 1'000'000, errc::working_memory},
    {"descriptors", 99'000, none},
    {"symbols", 100'000, none},
    {"modules", 109'000, none},
    {"streams", 99'998, none},
    {"empty-packets", 1'000'000, errc::too_many_packets},
    {"empty-in-bundle", 1'000'000, errc::too_many_packets},
    {"bundles", 50'000, none},
    {"inflating", 4'000'000, none},
    {"defaults", 99'998, none},
    {"large-defaults", 50'000, none},
    {"sequences", 99'998, none},
    {"reversed", 99'998, none},
    {"without-time", 75'000, none},
    {"contexts", 50'000, none},
    {"streaming", 9'999, none},
    {"colliding-strings", 4'000, none},
    {"colliding-build-ids", 4'000, none},
    {"colliding-frames", 4'000, none},
    {"colliding-mappings", 4'000, none},
    {"colliding-tasks", 4'000, none},
    {"main-threads", 4'000, none},
    {"path-of-mappings", 2'000, none},
    {"context-of-samples", 2'000, none},
    {"descriptor-of-samples", 2'000, none},
    {"segments-of-module", 2'000, none},
    {"stack-of-intervals", 1'000'000, none},
    {"dangling-frames", 1'000'000, none},
};

/// Which end a budget makes depends on what is tight; that it is one of these does not.
void check_bounded(outcome const& o) {
  CHECK_FALSE(o.bad_alloc);
  CHECK(o.peak <= o.cap);
  if (o.refused) {
    INFO(o.what);
    CHECK(pd::is_limit(*o.refused));
  }
}

}  // namespace

TEST_CASE("every kind of hostile trace has a row here") {
  for (auto const& k : all_kinds()) {
    INFO(k.name);
    CHECK(std::any_of(std::begin(rows), std::end(rows), [&](row const& r) { return r.kind == k.name; }));
  }
  for (auto const& r : rows) CHECK(find_kind(r.kind) != nullptr);
}

TEST_CASE("hostile traces end as their row says, within both budgets") {
  for (auto const& r : rows) {
    INFO(r.kind << " " << r.n);
    auto const o = decode_under(r.kind, find_kind(r.kind)->make(r.n), budgets_of({}));
    if (r.expected == either)
      check_bounded(o);
    else if (r.expected == none)
      check_success(o);
    else
      check_refused(o, r.expected);
  }
}

TEST_CASE("hostile traces stay within either budget when the other is small") {
  // With room in both, what one of them forgets hides in the other.
  pd::limits tables, results, samples;
  tables.result_bytes = results.working_bytes = 2 * MiB;
  samples.result_bytes = 12 * MiB;  // room for nearly all samples, and little more
  for (auto const& r : rows) {
    auto const trace = find_kind(r.kind)->make(r.n);
    INFO(r.kind << " " << r.n);
    check_bounded(
        decode_under(std::string(r.kind) + ", little for results", trace, budgets_of(tables), tables));
    check_bounded(
        decode_under(std::string(r.kind) + ", little for tables", trace, budgets_of(results), results));
  }
}

TEST_CASE("hostile traces in bundles stay within both budgets") {
  for (auto const& r : rows) {
    INFO(r.kind << " " << r.n);
    auto const trace = find_kind(r.kind)->make(r.n);
    auto const o =
        decode_under(std::string(r.kind) + ", bundles", pack(trace, form::zlib_bundles), budgets_of({}));
    CHECK_FALSE(o.bad_alloc);
    CHECK(o.peak <= o.cap);
    if (o.refused) CHECK((pd::is_limit(*o.refused) || *o.refused == errc::nested_bundle));
  }
}
