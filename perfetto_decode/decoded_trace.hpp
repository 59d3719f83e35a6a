#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "perfetto_decode/budget.hpp"
#include "perfetto_decode/counters.hpp"
#include "perfetto_decode/error.hpp"
#include "perfetto_decode/limits.hpp"

namespace profile_relay::perfetto_decode {

/// "No such thing" for every index below.
inline constexpr std::uint32_t none = 0xffff'ffff;

// Texts that are compared often have a text id beside them: within one trace two texts are equal exactly if their ids are,
// and 0 is the empty text.

/// A loaded image or other region. Source: perfetto-decoding 9.
struct mapping {
  std::string_view name;      ///< with its leading "/"; empty when the trace gives no path
  std::uint32_t name_id = 0;  ///< see text_id
  std::string_view build_id;  ///< raw bytes, or 33 ASCII characters (Breakpad); empty = none
  std::uint64_t start = 0, end = 0, load_bias = 0, exact_offset = 0, start_offset = 0;

  bool has_range() const { return start < end; }
  /// All modulo 2^64.
  std::uint64_t elf_offset() const { return exact_offset - start_offset; }
  std::uint64_t image_base() const { return start - elf_offset() - load_bias; }
  std::uint64_t pc(std::uint64_t rel_pc) const { return rel_pc + image_base(); }
};

/// One source line of a frame: from ModuleSymbols or from the frame's own source path.
struct symbol_line {
  std::string_view function;     ///< empty = unknown
  std::string_view source_file;  ///< empty = unknown
  std::uint32_t line = 0;        ///< 0 = unknown
  std::uint32_t function_id = 0, source_file_id = 0;
};

enum class frame_kind : std::uint8_t { unset, native, kernel, interpreted, jit, gc, runtime, other };

struct frame {
  std::string_view function;  ///< as in the trace; empty = no name
  std::uint32_t function_id = 0;
  std::uint32_t mapping = none;  ///< index into decoded_trace::mappings
  std::uint32_t first_line = 0;  ///< into decoded_trace::lines, innermost inlined function first
  std::uint32_t line_count = 0;
  std::uint64_t rel_pc = 0;  ///< 0 without a mapping
  frame_kind kind = frame_kind::unset;
  std::string_view kind_text;  ///< for `other`
  /// A StackSample frame that is inline, or of kind interpreted, jit, gc or runtime (platform rule 3
  /// of 14.1).
  bool of_runtime = false;
};

struct stack {
  std::uint32_t const* leaf = nullptr;
  std::uint32_t count = 0;  ///< 0 = an interned callstack without frames: idle

  /// Indices into decoded_trace::frames, **leaf first**.
  std::span<const std::uint32_t> frames() const { return {leaf, count}; }
};

enum class sample_source : std::uint8_t { perf_sample, streaming_profile, stack_sample };

/// A sample with a resolved stack and a CPU timebase; all others are counted only.
/// Decoded traces hold them sorted stably by (trace time, file order).
struct sample {
  std::int64_t trace_time = 0;  ///< ns; meaningless without `has_trace_time`
  std::int64_t wall_time = 0;   ///< ns since 1970; meaningless without `has_wall_time`
  std::uint32_t stack = none;   ///< index into decoded_trace::stacks
  std::uint32_t task = none;    ///< index into decoded_trace::tasks
  sample_source source = sample_source::perf_sample;
  bool has_trace_time = false;
  bool has_wall_time = false;
};

/// A thread that samples name, or what a sample says of its task when it says less.
struct task {
  std::uint32_t machine = 0;  ///< 0 = host, else the packet's machine_id
  std::int64_t pid = 0;
  std::int64_t tid = 0;
  bool has_pid = false;
  bool has_tid = false;
  std::string_view thread_name;   ///< by rank (11); empty = none. "main" is the converter's, not ours
  std::string_view process_name;  ///< by rank; empty = none
  std::string_view executable;    ///< cmdline[0] of the process; empty = unknown
};

/// What a trace says, independent of Sentry and of HTTP. All views point into the input or into `storage`,
/// so the input must outlive it.
struct decoded_trace {
  decoded_trace() = default;
  decoded_trace(decoded_trace&&) = default;
  /// Exchanges the two, so that what was here is destroyed in the right order: lists first, then their budget.
  decoded_trace& operator=(decoded_trace&& other) noexcept;
  ~decoded_trace() = default;

  std::shared_ptr<const void> storage;  ///< owns what is not in the input, and the budget of the lists below

  budget_vector<mapping> mappings;
  budget_vector<symbol_line> lines;
  budget_vector<frame> frames;
  budget_vector<stack> stacks;
  budget_vector<sample> samples;
  budget_vector<task> tasks;
  std::uint64_t stack_frames = 0;  ///< of all stacks together
  counters counts;

  std::uint64_t packets = 0;         ///< including those inside bundles
  std::uint64_t sample_records = 0;  ///< of every kind, before resolving
  std::size_t held_bytes = 0;        ///< of the result budget, while this lives
  bool has_clock_snapshot = false;
};

/// Decodes a Perfetto trace (raw, or compressed as perfetto-decoding 2 says).
/// What precedes damage is kept and the damage counted; an error means that nothing can be kept or a limit
/// was met. Never throws for any input except std::bad_alloc, never reads outside `trace`; the attack suite
/// and the fuzzers back that. Memory is bounded by `limits` (working + result) besides the input.
result<decoded_trace> decode(std::span<const std::byte> trace, limits const& lim = {});

}  // namespace profile_relay::perfetto_decode
