#include "perfetto_decode/interval.hpp"

#include <optional>

#include "proto/fields.hpp"

namespace profile_relay::perfetto_decode {
namespace {

/// Field 1 of every interned entry.
std::optional<std::uint64_t> iid_of(byte_span entry) {
  std::optional<std::uint64_t> iid;
  wire_reader r(entry);
  while (r.next())
    if (r.number() == 1 && r.is_varint()) iid = r.value();
  return iid;
}

// An empty view still has to say "defined".
constexpr std::byte nothing{};
const std::byte* defined(byte_span s) { return s.data() != nullptr ? s.data() : &nothing; }

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
      copies_(working),
      limits_(&lim) {}

byte_span interval::keep(byte_span s, bool copy, bool& ok) {
  if (!copy || s.empty()) return s;
  copied = true;
  auto const kept = copies_.copy(s);
  ok = kept.data() != nullptr;
  return kept;
}

template <class Table>
bool interval::put(Table& table, byte_span entry, bool copy, counters& counts) {
  auto const iid = iid_of(entry);
  if (!iid) {
    counts.add(counter::interned_data_tokenizer_errors);
    return true;
  }
  auto* slot = table.obtain(*iid);
  if (slot == nullptr) return false;
  if (slot->data != nullptr) return true;  // the first definition counts
  bool ok = true;
  auto const kept = keep(entry, copy, ok);
  slot->data = defined(kept);
  slot->size = static_cast<std::uint32_t>(kept.size());
  return ok;
}

bool interval::put_string(iid_table<string_entry>& table, byte_span entry, bool copy, counters& counts) {
  namespace f = proto::fields::interned_string;
  std::optional<std::uint64_t> iid;
  byte_span str;
  wire_reader r(entry);
  while (r.next()) {
    if (r.number() == f::iid && r.is_varint()) iid = r.value();
    if (r.number() == f::str && r.is_bytes()) str = r.bytes();
  }
  if (!iid) {
    counts.add(counter::interned_data_tokenizer_errors);
    return true;
  }
  auto* slot = table.obtain(*iid);
  if (slot == nullptr) return false;
  if (slot->data != nullptr) return true;
  bool ok = true;
  auto const kept = keep(str, copy, ok);
  slot->data = defined(kept);
  slot->size = static_cast<std::uint32_t>(kept.size());
  return ok;
}

/// The same for a callstack, most of which is one run of frame ids to be passed over.
std::optional<std::uint64_t> iid_of_callstack(byte_span entry) {
  constexpr auto frame_id_tag = static_cast<std::byte>(proto::fields::callstack::frame_ids << 3);
  std::optional<std::uint64_t> iid;
  const std::byte* p = entry.data();
  const std::byte* const end = p + entry.size();
  std::uint64_t value = 0;
  while (p != end) {
    if (*p == frame_id_tag) {
      p = read_varint(p + 1, end, value);
      if (p == nullptr) break;
      continue;
    }
    wire_reader r(byte_span(p, static_cast<std::size_t>(end - p)));
    if (!r.next()) break;
    if (r.number() == 1 && r.is_varint()) iid = r.value();
    p = r.position();
  }
  return iid;
}

bool interval::put_callstack(byte_span entry, bool copy, counters& counts) {
  auto const iid = iid_of_callstack(entry);
  if (!iid) {
    counts.add(counter::interned_data_tokenizer_errors);
    return true;
  }
  auto* slot = callstacks.obtain(*iid);
  if (slot == nullptr) return false;
  if (slot->data != nullptr) return true;
  if (copy && entry.size() > limits_->callstack_depth) {
    // Long enough that it may be too deep: then only a mark is kept, which costs nothing.
    std::uint64_t ignored = 0;
    std::uint32_t depth = 0;
    repeated_varint ids(entry, proto::fields::callstack::frame_ids);
    while (depth <= limits_->callstack_depth && ids.next(ignored)) ++depth;
    slot->too_deep = depth > limits_->callstack_depth;
  }
  bool ok = true;
  auto const kept = slot->too_deep ? byte_span{} : keep(entry, copy, ok);
  slot->data = defined(kept);
  slot->size = static_cast<std::uint32_t>(kept.size());
  return ok;
}

bool interval::add(byte_span interned_data, bool copy, counters& counts) {
  namespace f = proto::fields::interned_data;
  wire_reader r(interned_data);
  bool ok = true;
  while (ok && r.next()) {
    if (!r.is_bytes()) continue;
    auto const entry = r.bytes();
    switch (r.number()) {
      case f::function_names:
        ok = put_string(function_names, entry, copy, counts);
        break;
      case f::build_ids:
        ok = put_string(build_ids, entry, copy, counts);
        break;
      case f::mapping_paths:
        ok = put_string(mapping_paths, entry, copy, counts);
        break;
      case f::source_paths:
        ok = put_string(source_paths, entry, copy, counts);
        break;
      case f::mappings:
        ok = put(mappings, entry, copy, counts);
        break;
      case f::frames:
        ok = put(frames, entry, copy, counts);
        break;
      case f::callstacks:
        ok = put_callstack(entry, copy, counts);
        break;
      case f::stack_sample_task_contexts:
        ok = put(task_contexts, entry, copy, counts);
        break;
      case f::stack_sample_execution_contexts:
        ok = put(execution_contexts, entry, copy, counts);
        break;
      case f::stack_sample_counter_descriptors:
        ok = put(counter_descriptors, entry, copy, counts);
        break;
      default:
        break;
    }
  }
  if (ok && !r.ok()) counts.add(counter::interned_data_tokenizer_errors);
  return ok;
}

}  // namespace profile_relay::perfetto_decode
