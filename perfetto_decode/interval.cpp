#include "perfetto_decode/interval.hpp"

#include <optional>

#include "perfetto_decode/field_cursor.hpp"
#include "proto/fields.hpp"

namespace profile_relay::perfetto_decode {
namespace {

constexpr std::uint32_t iid_field = 1;  // of every interned entry

/// The first one, as trace_processor takes it. Producers write it first, so most entries are not walked at all.
std::optional<std::uint64_t> iid_of(byte_span entry) {
  field_cursor r(entry);
  std::uint64_t v = 0;
  while (r.next()) {
    if (r.tag() != varint_tag(iid_field)) {
      r.skip();
    } else if (r.varint(v)) {
      return v;
    }
  }
  return std::nullopt;
}

// An empty view still has to say "defined".
constexpr std::byte nothing{};
const std::byte* defined(byte_span s) { return s.data() != nullptr ? s.data() : &nothing; }

template <class Entry>
void define(Entry& slot, byte_span bytes) {
  slot.data = defined(bytes);
  slot.size = static_cast<std::uint32_t>(bytes.size());
}

}  // namespace

interval::interval(memory_budget& working, limits const& lim)
    : function_names(working),
      mapping_paths(working),
      build_ids(working),
      source_paths(working),
      mappings(working),
      frames(working),
      task_contexts(working),
      execution_contexts(working),
      counter_descriptors(working),
      callstacks(working),
      path_names(working),
      frame_ids(working),
      copies_(working),
      limits_(&lim) {}

byte_span interval::keep(byte_span s, bool copy) {
  if (!copy || s.empty()) return s;
  copied = true;
  return copies_.copy(s);
}

template <class Table>
void interval::put(Table& table, byte_span entry, bool copy, counters& counts) {
  auto const iid = iid_of(entry);
  if (!iid) return counts.add(counter::interned_data_tokenizer_errors);
  auto* slot = table.obtain(*iid);
  if (slot->data == nullptr) define(*slot, keep(entry, copy));  // the first definition counts
}

void interval::put_string(iid_table<string_entry>& table, byte_span entry, bool copy, counters& counts) {
  namespace f = proto::fields::interned_string;
  std::optional<std::uint64_t> iid;
  byte_span str;
  std::uint64_t v = 0;
  field_cursor r(entry);
  while (r.next()) {
    switch (r.tag()) {
      case varint_tag(f::iid):
        if (r.varint(v) && !iid) iid = v;
        break;
      case bytes_tag(f::str):
        (void)r.bytes(str);
        break;
      default:
        r.skip();
    }
  }
  if (!iid) return counts.add(counter::interned_data_tokenizer_errors);
  auto* slot = table.obtain(*iid);
  if (slot->data == nullptr) define(*slot, keep(str, copy));
}

void interval::put_callstack(byte_span entry, bool copy, counters& counts) {
  auto const iid = iid_of(entry);
  if (!iid) return counts.add(counter::interned_data_tokenizer_errors);
  auto* slot = callstacks.obtain(*iid);
  if (slot->data != nullptr) return;
  if (copy && entry.size() > limits_->callstack_depth) {
    // Long enough that it may be too deep: then only a mark is kept, which costs nothing.
    std::uint64_t ignored = 0;
    std::uint32_t depth = 0;
    repeated_varint ids(entry, proto::fields::callstack::frame_ids);
    while (depth <= limits_->callstack_depth && ids.next(ignored)) ++depth;
    slot->too_deep = depth > limits_->callstack_depth;
  }
  define(*slot, slot->too_deep ? byte_span{} : keep(entry, copy));
}

void interval::add(byte_span interned_data, bool copy, counters& counts) {
  namespace f = proto::fields::interned_data;
  field_cursor r(interned_data);
  while (r.next()) {
    byte_span entry;
    if (!r.is_bytes()) {
      r.skip();
      continue;
    }
    auto const tag = r.tag();
    if (!r.bytes(entry)) break;
    switch (tag) {
      case bytes_tag(f::function_names):
        put_string(function_names, entry, copy, counts);
        break;
      case bytes_tag(f::frames):
        put(frames, entry, copy, counts);
        break;
      case bytes_tag(f::callstacks):
        put_callstack(entry, copy, counts);
        break;
      case bytes_tag(f::build_ids):
        put_string(build_ids, entry, copy, counts);
        break;
      case bytes_tag(f::mapping_paths):
        put_string(mapping_paths, entry, copy, counts);
        break;
      case bytes_tag(f::source_paths):
        put_string(source_paths, entry, copy, counts);
        break;
      case bytes_tag(f::mappings):
        put(mappings, entry, copy, counts);
        break;
      case bytes_tag(f::stack_sample_task_contexts):
        put(task_contexts, entry, copy, counts);
        break;
      case bytes_tag(f::stack_sample_execution_contexts):
        put(execution_contexts, entry, copy, counts);
        break;
      case bytes_tag(f::stack_sample_counter_descriptors):
        put(counter_descriptors, entry, copy, counts);
        break;
      case bytes_tag(f::kernel_symbols):
      case bytes_tag(f::stack_sample_async_context_descriptors):
        // Not looked up by anything, but an entry without iid is one all the same.
        if (!iid_of(entry)) counts.add(counter::interned_data_tokenizer_errors);
        break;
      default:
        break;
    }
  }
  if (!r.ok()) counts.add(counter::interned_data_tokenizer_errors);
}

}  // namespace profile_relay::perfetto_decode
