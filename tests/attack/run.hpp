#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "capped_heap.hpp"
#include "perfetto_decode/decoded_trace.hpp"

namespace attack {

namespace pd = profile_relay::perfetto_decode;

inline constexpr std::size_t MiB = 1u << 20;

/// How one input ended. Exactly one of: a named refusal, bad_alloc, success (neither).
struct outcome {
  std::optional<pd::errc> refused;
  std::string what;   ///< the words of the refusal
  std::string ended;  ///< its short name, or "success"
  bool bad_alloc = false;
  std::size_t peak = 0, cap = 0;  ///< bytes of heap above the input
  pd::counters counts;            ///< of a success
  std::uint64_t packets = 0, samples = 0, frames = 0, lines = 0;
};

/// Decodes under the cap and prints one line: name, input, outcome, peak. When the cap is passed, decodes once more
/// under a cap of 2 GiB, so that the line can say what it would have taken.
outcome decode_under(std::string const& name, std::string const& trace, std::size_t cap,
                     pd::limits const& lim = {});

/// The same through profile::expand, whose output may come on top of the cap. Here `refused` says only whether a limit did
/// it (result_memory) or the content (unreadable); `ended` has the finer cause.
outcome expand_under(std::string const& name, std::string const& trace, std::size_t cap,
                     pd::limits const& lim = {});

/// What a trace may take at most: its two budgets, and 1 MiB for what has a fixed size.
inline std::size_t budgets_of(pd::limits const& lim) { return lim.working_bytes + lim.result_bytes + MiB; }

/// Each checks that the heap stayed under the cap and that nothing was thrown.
void check_refused(outcome const& o, pd::errc expected);
void check_success(outcome const& o);
/// For inputs where the size of a table decides which of the budgets is met first.
void check_refused_by_budget(outcome const& o);

char const* name_of(pd::errc e);

}  // namespace attack
