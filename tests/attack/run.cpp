#include "run.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdio>
#include <new>
#include <span>

#include "envelope/padded_view.hpp"
#include "envelope/raw_chunk.hpp"
#include "profile/expand.hpp"

namespace attack {

namespace envelope = profile_relay::envelope;
namespace profile = profile_relay::profile;

namespace {

constexpr std::size_t no_cap = 2048 * MiB;

constexpr std::string_view metadata =
    R"({"chunk_id":"0432a0a4c25f4697bf9f0a2fcbe6a814","profiler_id":"4d229f1d3807421ba62a5f8bc295d836",)"
    R"("version":"2","platform":"android","client_sdk":{"name":"sentry.java.android","version":"8.0.0"}})";

void decode_once(std::string const& trace, pd::limits const& lim, outcome& out) {
  auto const d = pd::decode(std::as_bytes(std::span(trace.data(), trace.size())), lim);
  if (!d) {
    out.refused = d.error().code;
    out.what = d.error().what;
    out.ended = name_of(d.error().code);
    return;
  }
  out.counts = d->counts;
  out.packets = d->packets;
  out.samples = d->samples.size();
  out.frames = d->frames.size();
  out.lines = d->lines.size();
}

void expand_once(std::string const& padded_trace, std::string const& padded_metadata, pd::limits const& lim,
                 outcome& out) {
  auto const view = [](std::string const& s) {
    return envelope::padded_view::assume_padded(
        std::as_bytes(std::span(s.data(), s.size() - envelope::read_ahead)));
  };
  envelope::raw_chunk chunk;
  chunk.shape = envelope::chunk_shape::perfetto;
  chunk.platform = "android";
  chunk.metadata = view(padded_metadata);
  chunk.trace = view(padded_trace);
  profile::expand_limits limits;
  limits.decode = lim;
  auto const done = profile::expand(chunk, limits);
  out.counts = done.notes.decode;
  out.samples = done.notes.emitted_samples;
  if (done.value) return;
  auto const& e = done.value.error();
  out.what = e.what;
  out.ended = e.cause.empty() ? "profile error " + std::to_string(static_cast<int>(e.code)) : e.cause;
  bool const by_limit = e.code == profile::errc::exceed_size_limit;
  out.refused = by_limit ? pd::errc::result_memory : pd::errc::unreadable;
}

template <class Once>
outcome run(std::string const& name, std::size_t input, std::size_t cap, Once once) {
  outcome out;
  out.cap = cap;
  auto const attempt = [&](std::size_t bytes) {
    bool thrown = false;
    outcome result;
    result.ended = "success";
    start_cap(bytes);
    try {
      once(result);
    } catch (std::bad_alloc const&) {
      thrown = true;
    }
    auto const heap = stop_cap();
    // A refusal that was caught inside (a null pointer turned into "damaged") is a failure all the same.
    result.bad_alloc = thrown || heap.cap_passed;
    result.peak = heap.peak;
    result.cap = cap;
    return result;
  };
  out = attempt(cap);
  if (out.bad_alloc) out.peak = attempt(no_cap).peak;
  std::printf("%-62s input %9zu  %-20s peak %10zu of %10zu\n", name.c_str(), input,
              out.bad_alloc ? "CAP PASSED" : out.ended.c_str(), out.peak, cap);
  std::fflush(stdout);
  return out;
}

}  // namespace

outcome decode_under(std::string const& name, std::string const& trace, std::size_t cap,
                     pd::limits const& lim) {
  return run(name, trace.size(), cap, [&](outcome& out) { decode_once(trace, lim, out); });
}

outcome expand_under(std::string const& name, std::string const& trace, std::size_t cap,
                     pd::limits const& lim) {
  auto const padded = [](std::string_view s) { return std::string(s).append(envelope::read_ahead, '\0'); };
  auto const t = padded(trace), m = padded(metadata);
  return run(name + " expanded", trace.size(), cap, [&](outcome& out) { expand_once(t, m, lim, out); });
}

void check_success(outcome const& o) {
  CHECK_FALSE(o.bad_alloc);
  CHECK(o.peak <= o.cap);
  INFO(o.what);
  CHECK_FALSE(o.refused.has_value());
}

void check_refused(outcome const& o, pd::errc expected) {
  CHECK_FALSE(o.bad_alloc);
  CHECK(o.peak <= o.cap);
  INFO(o.what);
  CHECK(std::string(o.refused ? name_of(*o.refused) : "success") == name_of(expected));
}

void check_refused_by_budget(outcome const& o) {
  CHECK_FALSE(o.bad_alloc);
  CHECK(o.peak <= o.cap);
  INFO(o.what);
  CHECK((o.refused == pd::errc::working_memory || o.refused == pd::errc::result_memory));
}

char const* name_of(pd::errc e) {
  using enum pd::errc;
  switch (e) {
    case unreadable:
      return "unreadable";
    case nested_bundle:
      return "nested_bundle";
    case too_many_packets:
      return "too_many_packets";
    case too_many_samples:
      return "too_many_samples";
    case packet_too_large:
      return "packet_too_large";
    case callstack_too_deep:
      return "callstack_too_deep";
    case too_many_frames:
      return "too_many_frames";
    case too_many_sequences:
      return "too_many_sequences";
    case too_many_inflated:
      return "too_many_inflated";
    case working_memory:
      return "working_memory";
    case result_memory:
      return "result_memory";
    default:
      return "other";
  }
}

}  // namespace attack
