// From callstacks, interned or inline, to stacks of the result.
#include <algorithm>
#include <span>

#include "perfetto_decode/stack_resolver.hpp"
#include "proto/fields.hpp"

namespace profile_relay::perfetto_decode {
namespace {

struct id_run {
  const std::byte* from;
  std::uint32_t* to;
};

/// Most of a callstack: unpacked frame ids of one or two bytes whose frames are known. Stops before anything else.
id_run known_frames(id_run at, const std::byte* end, std::span<const std::uint32_t> ids,
                    std::uint32_t const* limit) {
  constexpr std::uint32_t tag = proto::fields::callstack::frame_ids << 3;
  auto [p, to] = at;
  while (end - p >= 3 && to != limit) {
    // Tag and both possible bytes at once, and no branch on the length, which nothing predicts.
    std::uint32_t const first = static_cast<std::uint8_t>(p[1]), second = static_cast<std::uint8_t>(p[2]);
    std::uint32_t const two = first >> 7;
    if (static_cast<std::uint8_t>(p[0]) != tag || (two & (second >> 7)) != 0) break;
    std::uint32_t const iid = (first & 0x7fu) | ((second << 7) & (0u - two));
    if (iid >= ids.size() || ids[iid] == interval::unresolved) break;
    *to++ = ids[iid];
    p += 2 + two;
  }
  return {p, to};
}

}  // namespace

std::optional<std::uint32_t> stack_resolver::runtime_variant(std::uint32_t index) {
  auto v = frame_values_[index];
  bool const runtime_kind = v.kind == frame_kind::interpreted || v.kind == frame_kind::jit ||
                            v.kind == frame_kind::gc || v.kind == frame_kind::runtime;
  bool const named = v.mapping != none && !out_.mappings[v.mapping].name.empty();
  if (!runtime_kind || named) return index;
  v.of_runtime = true;
  return frame_of(v);
}

stack_ref stack_resolver::stack_of(std::span<const std::uint32_t> root_first) {
  std::size_t const bytes = root_first.size() * sizeof(std::uint32_t);
  auto* const leaf_first = reinterpret_cast<std::uint32_t*>(keep_.take(bytes, alignof(std::uint32_t)));
  std::reverse_copy(root_first.begin(), root_first.end(), leaf_first);
  std::uint64_t h = seed_.b ^ root_first.size();
  std::size_t i = 0;
  for (; i + 2 <= root_first.size(); i += 2)
    h = fold(h ^ load_word(reinterpret_cast<const char*>(leaf_first + i)), seed_.a) + seed_.b;
  if (i < root_first.size()) h = fold(h ^ leaf_first[i], seed_.a) + seed_.b;

  auto const fresh = static_cast<std::uint32_t>(out_.stacks.size());
  auto const known = stacks_.find_or_add(h, fresh, [&](std::uint32_t s) {
    return out_.stacks[s].count == root_first.size() &&
           std::equal(leaf_first, leaf_first + root_first.size(), out_.stacks[s].leaf);
  });
  if (known != value_index::absent) {
    keep_.shrink_last(bytes);
    return stack_ref::of(known, root_first.empty());
  }
  out_.stacks.push_back({leaf_first, static_cast<std::uint32_t>(root_first.size())});
  out_.stack_frames += root_first.size();
  return stack_ref::of(fresh, root_first.empty());
}

std::optional<stack_ref> stack_resolver::callstack(interval& in, interval::callstack_entry& entry,
                                                   bool of_stack_sample) {
  if (entry.data == nullptr) return stack_ref::void_of(counter::stackprofile_invalid_callstack_id);
  auto const too_deep = [&] {
    refuse(errc::callstack_too_deep);
    return std::optional<stack_ref>();
  };
  if (entry.too_deep) return too_deep();
  // No more ids than bytes, and no more than the limit.
  std::size_t const room = std::min<std::size_t>(entry.size, limits_.callstack_depth);
  if (root_first_.size() < room) root_first_.resize(room);
  auto* const begin = root_first_.data();
  auto* const limit = begin + room;
  if (auto const n = in.frames.dense().size(); in.frame_ids.size() < n)
    in.frame_ids.resize(n, interval::unresolved);
  auto at = known_frames({entry.data, begin}, entry.data + entry.size, in.frame_ids, limit);
  std::uint64_t iid = 0;
  std::optional<stack_ref> broken;
  repeated_varint ids(byte_span(at.from, entry.data + entry.size), proto::fields::callstack::frame_ids);
  auto* to = at.to;
  while (ids.next(iid)) {
    if (to == limit) return too_deep();
    *to++ = interval::unresolved;
    if (broken) continue;  // a stack that is void is still measured to its end
    auto* const f = in.frames.find(iid);
    if (f == nullptr || f->data == nullptr) {
      broken = stack_ref::void_of(counter::stackprofile_invalid_frame_id);
      continue;
    }
    if (f->resolved == interval::unresolved && !f->broken && !resolve_frame(in, *f)) return std::nullopt;
    if (f->broken) {
      broken = stack_ref::void_of(f->why);
      continue;
    }
    to[-1] = f->resolved;
    if (iid < in.frame_ids.size()) in.frame_ids[static_cast<std::size_t>(iid)] = f->resolved;
    if (!ids.between_fields()) continue;
    at = known_frames({ids.position(), to}, entry.data + entry.size, in.frame_ids, limit);
    ids.move_to(at.from);
    to = at.to;
  }
  if (broken) return broken;
  auto const depth = static_cast<std::size_t>(to - begin);
  if (of_stack_sample) {
    for (auto& index : std::span(root_first_).first(depth)) {
      auto const variant = runtime_variant(index);
      if (!variant) return std::nullopt;
      index = *variant;
    }
  }
  return stack_of(std::span(root_first_).first(depth));
}

std::optional<stack_ref> stack_resolver::inline_callstack(byte_span message, bool copy) {
  namespace f = proto::fields::inline_callstack_frame;
  root_first_.clear();
  wire_reader r(message);
  while (r.next()) {
    if (r.number() != proto::fields::inline_callstack::frames || !r.is_bytes()) continue;
    if (root_first_.size() == limits_.callstack_depth) {
      refuse(errc::callstack_too_deep);
      return std::nullopt;
    }
    frame_value v{};
    v.of_runtime = true;
    std::string_view function, file;
    wire_reader fr(r.bytes());
    while (fr.next()) {
      if (fr.is_bytes() && fr.number() == f::function_name) function = text_of(fr.bytes());
      if (fr.is_bytes() && fr.number() == f::source_file) {
        file = text_of(fr.bytes());
        v.has_source = true;
      }
      if (fr.is_varint() && fr.number() == f::line_number) {
        v.line = static_cast<std::uint32_t>(fr.value());
        v.has_source = true;
      }
    }
    v.function = intern_text(function, copy);
    v.source = intern_text(file, copy);
    auto const index = frame_of(v);
    if (!index) return std::nullopt;
    root_first_.push_back(*index);
  }
  if (root_first_.empty()) return stack_ref::void_of(counter::sample_without_callstack);
  return stack_of(root_first_);
}

}  // namespace profile_relay::perfetto_decode
