#include "perfetto_decode/stack_resolver.hpp"

#include <algorithm>
#include <span>
#include <utility>

#include "perfetto_decode/field_cursor.hpp"
#include "perfetto_decode/hash.hpp"
#include "perfetto_decode/utf8.hpp"
#include "proto/fields.hpp"

namespace profile_relay::perfetto_decode {
namespace {

frame_kind kind_of(std::uint64_t v) { return v <= 6 ? static_cast<frame_kind>(v) : frame_kind::unset; }

frame_kind kind_of(std::string_view text) {
  constexpr std::pair<std::string_view, frame_kind> names[] = {{"native", frame_kind::native},
                                                               {"kernel", frame_kind::kernel},
                                                               {"interpreted", frame_kind::interpreted},
                                                               {"jit", frame_kind::jit},
                                                               {"gc", frame_kind::gc},
                                                               {"runtime", frame_kind::runtime}};
  for (auto const& [name, kind] : names)
    if (text == name) return kind;
  return frame_kind::other;
}

std::string_view text_of(interval::string_entry const& e) {
  return {reinterpret_cast<const char*>(e.data), e.size};
}

}  // namespace

stack_resolver::stack_resolver(decoded_trace& out, string_table& strings, arena& keep, memory_budget& working,
                               memory_budget& result, limits const& lim)
    : out_(out),
      strings_(strings),
      keep_(keep),
      working_(working),
      result_(result),
      limits_(lim),
      seed_(seed_of(this)),
      frame_values_(result),
      mapping_values_(result),
      frames_(result),
      mappings_(result),
      stacks_(result) {}

bool stack_resolver::name_of(interval& in, iid_table<interval::string_entry>& table, std::uint64_t iid,
                             bool text, std::uint32_t& id) {
  auto* entry = table.find(iid);
  if (entry == nullptr || entry->data == nullptr) return false;
  if (entry->id == interval::unresolved) {
    auto const s = text_of(*entry);
    entry->id = text ? intern_text(s, in.copied) : strings_.intern(s, in.copied);
  }
  id = entry->id;
  return true;
}

std::uint32_t stack_resolver::intern_text(std::string_view s, bool copy) {
  if (!is_utf8(s)) {
    out_.counts.add(counter::invalid_utf8_string);
    s = {};
  }
  return strings_.intern(s, copy);
}

std::uint32_t stack_resolver::join_path(interval& in, std::span<const std::uint64_t> iids,
                                        path_memo::entry& to) {
  std::size_t length = 0, parts = 0;
  bool drop_slash = false;  // "/" stands before each part, but of a leading "//" one goes
  for (auto const iid : iids) {
    auto const* entry = in.mapping_paths.find(iid);
    to.truncated = entry == nullptr || entry->data == nullptr;
    if (to.truncated) break;
    // Charged part by part, before anything is joined, and kept: other lists may join to the same name again and again.
    result_.take(entry->size + std::size_t{1});
    to.invalid_utf8 = !is_utf8(text_of(*entry));
    if (to.invalid_utf8) break;
    if (parts == 0) drop_slash = text_of(*entry).starts_with('/');
    if (parts == 1 && length == 1) drop_slash = true;
    length += entry->size + std::size_t{1};
    ++parts;
  }
  if (parts == 0) return 0;
  if (drop_slash) --length;
  auto* const begin = reinterpret_cast<char*>(keep_.take(length));
  char* p = begin;
  for (auto const iid : iids.first(parts)) {
    auto const part = text_of(*in.mapping_paths.find(iid));
    if (!std::exchange(drop_slash, false)) *p++ = '/';
    p = std::copy(part.begin(), part.end(), p);
  }
  return strings_.intern_built({begin, length});
}

std::uint32_t stack_resolver::mapping_name(interval& in, byte_span message) {
  std::uint64_t iid = 0;
  path_iids_.clear();
  repeated_varint ids(message, proto::fields::mapping::path_string_ids);
  while (ids.next(iid)) {
    if (path_iids_.size() == limits_.path_components) {
      out_.counts.add(counter::mapping_path_too_long);
      return 0;
    }
    path_iids_.push_back(iid);
  }
  if (path_iids_.empty()) return 0;
  bool fresh = false;
  auto& known = in.path_names.obtain(path_iids_, fresh);
  if (fresh) known.name = join_path(in, path_iids_, known);
  if (known.truncated) out_.counts.add(counter::mapping_path_truncated);
  if (known.invalid_utf8) out_.counts.add(counter::invalid_utf8_string);
  return known.name;
}

void stack_resolver::resolve_mapping(interval& in, interval::message_entry& entry) {
  namespace f = proto::fields::mapping;
  mapping_value v{};
  std::uint64_t build_id = 0, n = 0;
  field_cursor r(entry.bytes());
  while (r.next()) {
    std::uint64_t* to = nullptr;
    switch (r.tag()) {
      case varint_tag(f::build_id):
        to = &build_id;
        break;
      case varint_tag(f::start_offset):
        to = &v.start_offset;
        break;
      case varint_tag(f::start):
        to = &v.start;
        break;
      case varint_tag(f::end):
        to = &v.end;
        break;
      case varint_tag(f::load_bias):
        to = &v.load_bias;
        break;
      case varint_tag(f::exact_offset):
        to = &v.exact_offset;
        break;
      default:
        break;
    }
    if (to == nullptr)
      r.skip();
    else if (r.varint(n))
      *to = n;
  }
  if (build_id != 0 && !name_of(in, in.build_ids, build_id, false, v.build_id))
    return entry.set_broken(counter::stackprofile_invalid_string_id);
  v.name = mapping_name(in, entry.bytes());
  entry.resolved = mapping_of(v);
}

std::uint32_t stack_resolver::mapping_of(mapping_value const& v) {
  auto const fresh = static_cast<std::uint32_t>(mapping_values_.size());
  auto const hash =
      hash_words(seed_, v.name, v.build_id, v.start, v.end, v.load_bias, v.exact_offset, v.start_offset);
  auto const known =
      mappings_.find_or_add(hash, fresh, [&](std::uint32_t i) { return mapping_values_[i] == v; });
  if (known != value_index::absent) return known;
  result_.take(strings_[v.name].size());
  mapping_values_.push_back(v);
  mapping m;
  m.name = strings_[v.name];
  m.name_id = v.name;
  m.build_id = strings_[v.build_id];
  m.start = v.start;
  m.end = v.end;
  m.load_bias = v.load_bias;
  m.exact_offset = v.exact_offset;
  m.start_offset = v.start_offset;
  out_.mappings.push_back(m);
  return fresh;
}

bool stack_resolver::resolve_frame(interval& in, interval::message_entry& entry) {
  namespace f = proto::fields::frame;
  frame_value v{};
  std::uint64_t function = 0, mapping_iid = 0, source = 0, n = 0;
  byte_span kind_text;
  field_cursor r(entry.bytes());
  while (r.next()) {
    switch (r.tag()) {
      case varint_tag(f::function_name_id):
        if (r.varint(n)) function = n;
        break;
      case varint_tag(f::mapping_id):
        if (r.varint(n)) mapping_iid = n;
        break;
      case varint_tag(f::rel_pc):
        if (r.varint(n)) v.rel_pc = n;
        break;
      case varint_tag(f::source_path_iid):
        if (!r.varint(n)) break;
        source = n;
        v.has_source = true;
        break;
      case varint_tag(f::line_number):
        if (r.varint(n)) v.line = static_cast<std::uint32_t>(n);
        break;
      case varint_tag(f::kind):
        if (!r.varint(n)) break;
        v.kind = kind_of(n);
        kind_text = {};
        break;
      case bytes_tag(f::kind_str):
        (void)r.bytes(kind_text);
        break;
      default:
        r.skip();
    }
  }
  auto const broken = [&](counter why) {
    entry.set_broken(why);
    return true;
  };
  if (mapping_iid != 0) {
    auto* m = in.mappings.find(mapping_iid);
    if (m == nullptr || m->data == nullptr) return broken(counter::stackprofile_invalid_mapping_id);
    if (m->resolved == interval::unresolved && !m->broken) resolve_mapping(in, *m);
    if (m->broken) return broken(m->why);
    v.mapping = m->resolved;
  } else {
    v.rel_pc = 0;  // means nothing without a mapping
  }
  if (function != 0 && !name_of(in, in.function_names, function, true, v.function))
    return broken(counter::stackprofile_invalid_string_id);
  if (v.has_source && !name_of(in, in.source_paths, source, true, v.source))
    return broken(counter::stackprofile_invalid_string_id);
  if (kind_text.data() != nullptr) {
    v.kind = kind_of(text_of(kind_text));
    if (v.kind == frame_kind::other) v.kind_text = intern_text(text_of(kind_text), in.copied);
  }
  auto const index = frame_of(v);
  if (!index) return false;
  entry.resolved = *index;
  return true;
}

std::optional<std::uint32_t> stack_resolver::frame_of(frame_value const& v) {
  auto const fresh = static_cast<std::uint32_t>(frame_values_.size());
  auto hash = hash_words(seed_, v.rel_pc, (std::uint64_t{v.function} << 32) | v.mapping);
  if (v.has_source || v.kind_text != 0)
    hash = hash_words(seed_, hash, (std::uint64_t{v.source} << 32) | v.line, v.kind_text);
  auto const known = frames_.find_or_add(hash, fresh, [&](std::uint32_t i) { return frame_values_[i] == v; });
  if (known != value_index::absent) return known;
  if (fresh >= limits_.frames) {
    refuse(errc::too_many_frames);
    return std::nullopt;
  }
  result_.take(strings_[v.function].size() + strings_[v.source].size() +
               (v.mapping == none ? 0 : out_.mappings[v.mapping].name.size()));
  frame_values_.push_back(v);
  frame f;
  f.function = strings_[v.function];
  f.function_id = v.function;
  f.mapping = v.mapping;
  f.rel_pc = v.rel_pc;
  f.kind = v.kind;
  f.kind_text = strings_[v.kind_text];
  f.of_runtime = v.of_runtime;
  if (v.has_source) {
    f.first_line = static_cast<std::uint32_t>(out_.lines.size());
    f.line_count = 1;
    out_.lines.push_back({f.function, strings_[v.source], v.line, v.function, v.source});
  }
  out_.frames.push_back(f);
  return fresh;
}

}  // namespace profile_relay::perfetto_decode
