#pragma once

#include <boost/unordered/unordered_flat_set.hpp>
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
  static stack_ref of(std::uint32_t stack) { return stack_ref(stack); }
  static stack_ref void_of(counter why) { return stack_ref(0x8000'0000u | static_cast<std::uint32_t>(why)); }

  bool is_void() const { return (value_ & 0x8000'0000u) != 0; }
  counter why() const { return static_cast<counter>(value_ & 0xffu); }
  std::uint32_t stack() const { return value_; }

 private:
  explicit stack_ref(std::uint32_t v) : value_(v) {}
  std::uint32_t value_;
};

/// Turns interned messages into mappings, frames and stacks of the result, each once by value.
/// Source: perfetto-decoding 9, 10. A dangling frame, mapping, function, build id or source path voids the
/// whole stack; a dangling path component only cuts the path. Cost: each interned message is decoded at most
/// once per interval, each look-up by value is O(1) expected; every result is charged to the result budget
/// before it is stored.
class stack_resolver {
 public:
  stack_resolver(decoded_trace& out, string_table& strings, memory_budget& working, memory_budget& result,
                 limits const& lim);

  /// The stack of an interned callstack. Absent: a limit was met (`failure`).
  std::optional<stack_ref> callstack(interval& in, interval::callstack_entry& entry, bool of_stack_sample);
  /// The stack of an InlineCallstack message.
  std::optional<stack_ref> inline_callstack(byte_span message, bool copy);

  /// ModuleSymbols of the whole trace, once all frames are known.
  bool apply_symbols(std::vector<byte_span> const& module_symbols);

  /// Why an operation was refused; meaningful after one was.
  errc failure() const { return failure_; }

 private:
  struct frame_value {
    std::uint32_t function, mapping, source, kind_text;
    std::uint64_t rel_pc;
    std::uint32_t line;
    frame_kind kind;
    bool has_source, of_runtime;
    bool operator==(frame_value const&) const = default;
  };
  struct mapping_value {
    std::uint32_t name, build_id;
    std::uint64_t start, end, load_bias, exact_offset, start_offset;
    bool operator==(mapping_value const&) const = default;
  };
  struct frame_hash {
    stack_resolver const* r;
    std::size_t operator()(std::uint32_t i) const;
  };
  struct frame_equal {
    stack_resolver const* r;
    bool operator()(std::uint32_t a, std::uint32_t b) const;
  };
  struct mapping_hash {
    stack_resolver const* r;
    std::size_t operator()(std::uint32_t i) const;
  };
  struct mapping_equal {
    stack_resolver const* r;
    bool operator()(std::uint32_t a, std::uint32_t b) const;
  };
  struct stack_hash {  // kept beside the stacks: growing the set must not walk them again
    std::vector<std::uint64_t> const* hashes;
    std::size_t operator()(std::uint32_t i) const { return (*hashes)[i]; }
  };
  struct stack_equal {
    decoded_trace const* out;
    bool operator()(std::uint32_t a, std::uint32_t b) const;
  };

  enum class look_up : std::uint8_t { found, dangling, refused };
  /// The id of an interned string; 0 ("") for a `text` that is not UTF-8, which is counted.
  look_up name_of(interval& in, iid_table<interval::string_entry>& table, std::uint64_t iid, bool text,
                  std::uint32_t& id);
  std::uint32_t intern_text(std::string_view s, bool copy);
  bool resolve_frame(interval& in, interval::message_entry& entry);
  bool resolve_mapping(interval& in, interval::message_entry& entry);
  bool mapping_name(interval& in, byte_span message, std::uint32_t& name);
  std::optional<std::uint32_t> frame_of(frame_value const& v);
  std::optional<std::uint32_t> runtime_variant(std::uint32_t frame);
  std::optional<std::uint32_t> mapping_of(mapping_value const& v);
  std::optional<stack_ref> stack_of(std::span<const std::uint32_t> leaf_first);
  bool refuse(errc e) {
    failure_ = e;
    return false;
  }

  decoded_trace& out_;
  string_table& strings_;
  memory_budget& working_;
  memory_budget& result_;
  limits const& limits_;
  errc failure_ = errc::result_memory;

  std::vector<frame_value> frame_values_;      // by frame index
  std::vector<mapping_value> mapping_values_;  // by mapping index
  std::vector<std::uint64_t> stack_hashes_;    // by stack index
  boost::unordered_flat_set<std::uint32_t, frame_hash, frame_equal> frames_;
  boost::unordered_flat_set<std::uint32_t, mapping_hash, mapping_equal> mappings_;
  boost::unordered_flat_set<std::uint32_t, stack_hash, stack_equal> stacks_;
  std::vector<std::uint32_t> leaf_first_;  // scratch: frames of one stack
};

}  // namespace profile_relay::perfetto_decode
