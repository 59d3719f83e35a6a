#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "perfetto_decode/decoded_trace.hpp"
#include "perfetto_decode/interval.hpp"
#include "perfetto_decode/string_table.hpp"

namespace profile_relay::perfetto_decode {

/// A callstack resolved for the samples that use it: a stack of the result, or the counter that says why
/// there is none.
class stack_ref {
 public:
  static stack_ref of(std::uint32_t stack, bool empty) { return stack_ref(stack | (empty ? empty_bit : 0)); }
  static stack_ref void_of(counter why) { return stack_ref(0x8000'0000u | static_cast<std::uint32_t>(why)); }

  bool is_void() const { return (value_ & 0x8000'0000u) != 0; }
  counter why() const { return static_cast<counter>(value_ & 0xffu); }
  bool is_empty() const { return (value_ & empty_bit) != 0; }  ///< a stack without frames
  std::uint32_t stack() const { return value_ & ~empty_bit; }

 private:
  static constexpr std::uint32_t empty_bit = 0x4000'0000u;
  explicit stack_ref(std::uint32_t v) : value_(v) {}
  std::uint32_t value_;
};

/// Turns interned messages into mappings, frames and stacks of the result, each once by value.
/// Source: perfetto-decoding 9, 10. A dangling frame, mapping, function, build id or source path voids the
/// whole stack; a dangling path component only cuts the path. Cost: each interned message is decoded at most
/// once per interval, each list of path components is joined once per interval, each look-up by value is O(1) expected;
/// memory is charged as it is taken (budget_refused), and texts once more for each frame and mapping, because the output
/// repeats them.
class stack_resolver {
 public:
  stack_resolver(decoded_trace& out, string_table& strings, arena& keep, memory_budget& working,
                 memory_budget& result, limits const& lim);

  /// The stack of an interned callstack. Absent: a limit was met (`failure`).
  std::optional<stack_ref> callstack(interval& in, interval::callstack_entry& entry, bool of_stack_sample);
  /// The stack of an InlineCallstack message.
  std::optional<stack_ref> inline_callstack(byte_span message, bool copy);

  /// ModuleSymbols of the whole trace, once all frames are known.
  void apply_symbols(budget_vector<byte_span> const& module_symbols);

  /// Why an operation was refused; meaningful after one was.
  errc failure() const { return failure_; }

 private:
  struct frame_value {
    std::uint64_t rel_pc = 0;
    std::uint32_t function = 0, mapping = none, source = 0, kind_text = 0, line = 0;
    frame_kind kind{};
    bool has_source = false, of_runtime = false;
    bool operator==(frame_value const&) const = default;
  };
  struct mapping_value {
    std::uint64_t start = 0, end = 0, load_bias = 0, exact_offset = 0, start_offset = 0;
    std::uint32_t name = 0, build_id = 0;
    bool operator==(mapping_value const&) const = default;
  };

  /// The id of an interned string; 0 ("") for a `text` that is not UTF-8, which is counted. False: dangling.
  bool name_of(interval& in, iid_table<interval::string_entry>& table, std::uint64_t iid, bool text,
               std::uint32_t& id);
  std::uint32_t intern_text(std::string_view s, bool copy);
  /// False: a limit was met. What became of the entry stands in it.
  bool resolve_frame(interval& in, interval::message_entry& entry);
  void resolve_mapping(interval& in, interval::message_entry& entry);
  std::uint32_t mapping_name(interval& in, byte_span message);
  std::uint32_t join_path(interval& in, std::span<const std::uint64_t> iids, path_memo::entry& to);
  std::optional<std::uint32_t> frame_of(frame_value const& v);
  std::optional<std::uint32_t> runtime_variant(std::uint32_t frame);
  std::uint32_t mapping_of(mapping_value const& v);
  stack_ref stack_of(std::span<const std::uint32_t> root_first);
  void add_lines(byte_span address_symbols);
  bool refuse(errc e) {
    failure_ = e;
    return false;
  }

  decoded_trace& out_;
  string_table& strings_;
  arena& keep_;
  memory_budget& working_;
  memory_budget& result_;
  limits const& limits_;
  errc failure_{};
  hash_seed seed_;

  budget_vector<frame_value> frame_values_;      // by frame index
  budget_vector<mapping_value> mapping_values_;  // by mapping index
  value_index frames_, mappings_, stacks_;
  std::vector<std::uint32_t> root_first_;  // scratch: frames of one stack, at most limits::callstack_depth
  std::vector<std::uint64_t> path_iids_;   // scratch: at most limits::path_components
};

}  // namespace profile_relay::perfetto_decode
