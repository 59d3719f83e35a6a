#pragma once

#include <array>
#include <cstdint>

#include "perfetto_decode/arena.hpp"
#include "perfetto_decode/counters.hpp"
#include "perfetto_decode/iid_table.hpp"
#include "perfetto_decode/limits.hpp"
#include "perfetto_decode/path_memo.hpp"

namespace profile_relay::perfetto_decode {

/// Everything interned between two clears of one sequence: iid -> undecoded bytes, decoded when a sample
/// needs it.
///
/// An iid means something only inside its interval, and the first definition counts:
///
///   clear; function_names{1:"f"}; sample -> f      <- interval 1
///   clear; function_names{1:"g"}; sample -> g      <- interval 2, iid 1 is another function
///
/// Look-ups see the whole interval, also what is interned after the sample in the file: samples therefore
/// keep a reference (`stack_ref`), and the interval is resolved when it ends. Then its memory is given back.
/// Source: perfetto-decoding 4.
class interval {
 public:
  interval(memory_budget& working, limits const& lim);

  /// Adds the entries of one InternedData message. `copy`: the bytes go away after this call.
  void add(byte_span interned_data, bool copy, counters& counts);

  static constexpr std::uint32_t unresolved = 0xffff'ffff;

  struct string_entry {
    const std::byte* data = nullptr;  // nullptr = not defined
    std::uint32_t size = 0;
    std::uint32_t id = unresolved;  // in the string table, once looked up
  };
  struct message_entry {
    const std::byte* data = nullptr;
    std::uint32_t size = 0;
    std::uint32_t resolved =
        unresolved;       // what it became: a mapping, a frame, a task, or 0 and 1 for "is CPU time"
    bool broken = false;  // there is no such thing, because of `why`
    counter why{};
    byte_span bytes() const { return {data, size}; }
    void set_broken(counter because) {
      broken = true;
      why = because;
    }
  };
  struct callstack_entry {
    const std::byte* data = nullptr;
    std::uint32_t size = 0;
    bool too_deep = false;                                      // its ids were not kept
    std::array<std::uint32_t, 2> refs{unresolved, unresolved};  // by "is a StackSample"
    byte_span bytes() const { return {data, size}; }
  };

  iid_table<string_entry> function_names, mapping_paths, build_ids, source_paths;
  iid_table<message_entry> mappings, frames, task_contexts, execution_contexts, counter_descriptors;
  iid_table<callstack_entry> callstacks;
  path_memo path_names;
  /// What the small frame iids became, side by side: the loop over a callstack looks at nothing else.
  budget_vector<std::uint32_t> frame_ids;
  bool copied = false;  ///< some entry was copied: its strings need copying again into the result

 private:
  byte_span keep(byte_span s, bool copy);
  template <class Table>
  void put(Table& table, byte_span entry, bool copy, counters& counts);
  void put_string(iid_table<string_entry>& table, byte_span entry, bool copy, counters& counts);
  void put_callstack(byte_span entry, bool copy, counters& counts);

  arena copies_;
  limits const* limits_;
};

}  // namespace profile_relay::perfetto_decode
