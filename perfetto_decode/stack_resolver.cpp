#include "perfetto_decode/stack_resolver.hpp"

#include <algorithm>

#include "perfetto_decode/hash.hpp"
#include "perfetto_decode/utf8.hpp"
#include "proto/fields.hpp"

namespace profile_relay::perfetto_decode {
namespace {

// What one entry of the result costs beside its strings: the structure, its copy as a value, and its slot in
// the set of known values at its lowest load. The strings count once for each frame because the output
// repeats them.
constexpr std::size_t frame_cost = sizeof(frame) + 64;
constexpr std::size_t mapping_cost = sizeof(mapping) + 64;
constexpr std::size_t stack_cost = sizeof(stack) + sizeof(std::uint64_t) + 16;

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

std::string_view text_of(byte_span b) { return {reinterpret_cast<const char*>(b.data()), b.size()}; }

}  // namespace

std::size_t stack_resolver::frame_hash::operator()(std::uint32_t i) const {
  auto const& v = r->frame_values_[i];
  std::uint64_t h = mix(v.rel_pc, (std::uint64_t{v.function} << 32) | v.mapping);
  if (v.has_source || v.kind_text != 0)
    h = mix(h, (std::uint64_t{v.source} << 32) | v.line) ^
        mix(v.kind_text, static_cast<std::uint64_t>(v.kind));
  return h;
}
bool stack_resolver::frame_equal::operator()(std::uint32_t a, std::uint32_t b) const {
  return r->frame_values_[a] == r->frame_values_[b];
}
std::size_t stack_resolver::mapping_hash::operator()(std::uint32_t i) const {
  auto const& v = r->mapping_values_[i];
  std::uint64_t h = mix((std::uint64_t{v.name} << 32) | v.build_id, v.start);
  return mix(mix(h, v.end ^ (v.load_bias << 1)), v.exact_offset ^ (v.start_offset << 1));
}
bool stack_resolver::mapping_equal::operator()(std::uint32_t a, std::uint32_t b) const {
  return r->mapping_values_[a] == r->mapping_values_[b];
}
bool stack_resolver::stack_equal::operator()(std::uint32_t a, std::uint32_t b) const {
  auto const &x = out->stacks[a], &y = out->stacks[b];
  auto const* f = out->stack_frames.data();
  return x.count == y.count && std::equal(f + x.first, f + x.first + x.count, f + y.first);
}

stack_resolver::stack_resolver(decoded_trace& out, string_table& strings, memory_budget& working,
                               memory_budget& result, limits const& lim)
    : out_(out),
      strings_(strings),
      working_(working),
      result_(result),
      limits_(lim),
      frames_(0, frame_hash{this}, frame_equal{this}),
      mappings_(0, mapping_hash{this}, mapping_equal{this}),
      stacks_(0, stack_hash{&stack_hashes_}, stack_equal{&out}) {}

stack_resolver::look_up stack_resolver::name_of(interval& in, iid_table<interval::string_entry>& table,
                                                std::uint64_t iid, bool text, std::uint32_t& id) {
  auto* entry = table.find(iid);
  if (entry == nullptr || entry->data == nullptr) return look_up::dangling;
  if (entry->id == interval::unresolved) {
    std::string_view s{reinterpret_cast<const char*>(entry->data), entry->size};
    if (text && !is_utf8(s)) {
      out_.counts.add(counter::invalid_utf8_string);
      s = {};
    }
    entry->id = strings_.intern(s, in.copied);
    if (entry->id == string_table::refused) {
      refuse(errc::result_memory);
      return look_up::refused;
    }
  }
  id = entry->id;
  return look_up::found;
}

bool stack_resolver::mapping_name(interval& in, byte_span message, std::uint32_t& name) {
  std::uint64_t iid = 0;
  std::uint32_t parts = 0;
  repeated_varint count(message, proto::fields::mapping::path_string_ids);
  while (parts <= limits_.path_components && count.next(iid)) ++parts;
  name = 0;
  if (parts > limits_.path_components) {
    out_.counts.add(counter::mapping_path_too_long);
    return true;
  }
  // Charged part by part, before anything is joined.
  std::size_t length = 0;
  std::vector<std::string_view> pieces;
  pieces.reserve(parts);
  repeated_varint ids(message, proto::fields::mapping::path_string_ids);
  while (ids.next(iid)) {
    auto const* entry = in.mapping_paths.find(iid);
    std::string_view const piece =
        entry == nullptr || entry->data == nullptr
            ? std::string_view{}
            : std::string_view{reinterpret_cast<const char*>(entry->data), entry->size};
    bool const known = entry != nullptr && entry->data != nullptr;
    bool const valid = known && is_utf8(piece);
    if (!valid) {
      out_.counts.add(known ? counter::invalid_utf8_string : counter::mapping_path_truncated);
      break;
    }
    if (!result_.charge(piece.size() + 1)) return refuse(errc::result_memory);
    length += piece.size() + 1;
    pieces.push_back(piece);
  }
  std::string joined;
  joined.reserve(length);
  for (auto const& piece : pieces) joined.append(1, '/').append(piece);
  std::string_view view = joined;
  if (view.starts_with("//")) view.remove_prefix(1);
  name = strings_.intern(view, true);
  result_.refund(length);
  return name != string_table::refused || refuse(errc::result_memory);
}

bool stack_resolver::resolve_mapping(interval& in, interval::message_entry& entry) {
  namespace f = proto::fields::mapping;
  mapping_value v{};
  std::uint64_t build_id = 0;
  wire_reader r(entry.bytes());
  while (r.next()) {
    if (!r.is_varint()) continue;
    switch (r.number()) {
      case f::build_id:
        build_id = r.value();
        break;
      case f::start_offset:
        v.start_offset = r.value();
        break;
      case f::start:
        v.start = r.value();
        break;
      case f::end:
        v.end = r.value();
        break;
      case f::load_bias:
        v.load_bias = r.value();
        break;
      case f::exact_offset:
        v.exact_offset = r.value();
        break;
      default:
        break;
    }
  }
  if (build_id != 0) {
    auto const found = name_of(in, in.build_ids, build_id, false, v.build_id);
    if (found == look_up::refused) return false;
    if (found == look_up::dangling) return entry.set_broken(counter::stackprofile_invalid_string_id);
  }
  if (!mapping_name(in, entry.bytes(), v.name)) return false;
  auto const m = mapping_of(v);
  if (!m) return false;
  entry.resolved = *m;
  return true;
}

std::optional<std::uint32_t> stack_resolver::mapping_of(mapping_value const& v) {
  auto const index = static_cast<std::uint32_t>(mapping_values_.size());
  mapping_values_.push_back(v);
  if (auto it = mappings_.find(index); it != mappings_.end()) {
    mapping_values_.pop_back();
    return *it;
  }
  if (!result_.charge(mapping_cost + strings_[v.name].size())) {
    refuse(errc::result_memory);
    return std::nullopt;
  }
  mappings_.insert(index);
  out_.mappings.push_back(
      {strings_[v.name], strings_[v.build_id], v.start, v.end, v.load_bias, v.exact_offset, v.start_offset});
  return index;
}

bool stack_resolver::resolve_frame(interval& in, interval::message_entry& entry) {
  namespace f = proto::fields::frame;
  frame_value v{};
  v.mapping = none;
  std::uint64_t function = 0, mapping_iid = 0, source = 0;
  byte_span kind_text;
  wire_reader r(entry.bytes());
  while (r.next()) {
    if (r.is_varint()) switch (r.number()) {
        case f::function_name_id:
          function = r.value();
          break;
        case f::mapping_id:
          mapping_iid = r.value();
          break;
        case f::rel_pc:
          v.rel_pc = r.value();
          break;
        case f::source_path_iid:
          source = r.value();
          v.has_source = true;
          break;
        case f::line_number:
          v.line = static_cast<std::uint32_t>(r.value());
          break;
        case f::kind:
          v.kind = kind_of(r.value());
          kind_text = {};
          break;
        default:
          break;
      }
    else if (r.is_bytes() && r.number() == f::kind_str)
      kind_text = r.bytes();
  }
  if (mapping_iid != 0) {
    auto* m = in.mappings.find(mapping_iid);
    if (m == nullptr || m->data == nullptr) return entry.set_broken(counter::stackprofile_invalid_mapping_id);
    if (m->resolved == interval::unresolved && !resolve_mapping(in, *m)) return false;
    if (m->broken) return entry.set_broken(m->why);
    v.mapping = m->resolved;
  }
  auto found = look_up::found;
  if (function != 0) found = name_of(in, in.function_names, function, true, v.function);
  if (v.has_source && found == look_up::found) found = name_of(in, in.source_paths, source, true, v.source);
  if (found == look_up::refused) return false;
  if (found == look_up::dangling) return entry.set_broken(counter::stackprofile_invalid_string_id);
  if (kind_text.data() != nullptr) {
    v.kind = kind_of(text_of(kind_text));
    if (v.kind == frame_kind::other) v.kind_text = intern_text(text_of(kind_text), in.copied);
    if (v.kind_text == string_table::refused) return refuse(errc::result_memory);
  }
  auto const index = frame_of(v);
  if (!index) return false;
  entry.resolved = *index;
  return true;
}

std::uint32_t stack_resolver::intern_text(std::string_view s, bool copy) {
  if (!is_utf8(s)) {
    out_.counts.add(counter::invalid_utf8_string);
    s = {};
  }
  return strings_.intern(s, copy);
}

std::optional<std::uint32_t> stack_resolver::frame_of(frame_value const& v) {
  auto const index = static_cast<std::uint32_t>(frame_values_.size());
  frame_values_.push_back(v);
  if (auto it = frames_.find(index); it != frames_.end()) {
    frame_values_.pop_back();
    return *it;
  }
  std::size_t const text = strings_[v.function].size() + strings_[v.source].size() +
                           (v.mapping == none ? 0 : out_.mappings[v.mapping].name.size());
  if (index >= limits_.frames) {
    refuse(errc::too_many_frames);
    return std::nullopt;
  }
  if (!result_.charge(frame_cost + text + (v.has_source ? sizeof(symbol_line) : 0))) {
    refuse(errc::result_memory);
    return std::nullopt;
  }
  frames_.insert(index);
  frame f;
  f.function = strings_[v.function];
  f.mapping = v.mapping;
  f.rel_pc = v.rel_pc;
  f.kind = v.kind;
  f.kind_text = strings_[v.kind_text];
  f.of_runtime = v.of_runtime;
  if (v.has_source) {
    f.first_line = static_cast<std::uint32_t>(out_.lines.size());
    f.line_count = 1;
    out_.lines.push_back({f.function, strings_[v.source], v.line});
  }
  out_.frames.push_back(f);
  return index;
}

std::optional<std::uint32_t> stack_resolver::runtime_variant(std::uint32_t index) {
  auto v = frame_values_[index];
  bool const runtime_kind = v.kind == frame_kind::interpreted || v.kind == frame_kind::jit ||
                            v.kind == frame_kind::gc || v.kind == frame_kind::runtime;
  bool const named = v.mapping != none && !out_.mappings[v.mapping].name.empty();
  if (!runtime_kind || named) return index;
  v.of_runtime = true;
  return frame_of(v);
}

std::optional<stack_ref> stack_resolver::stack_of(std::span<const std::uint32_t> leaf_first) {
  auto const index = static_cast<std::uint32_t>(out_.stacks.size());
  auto const first = static_cast<std::uint32_t>(out_.stack_frames.size());
  if (!result_.charge(stack_cost + leaf_first.size() * sizeof(std::uint32_t))) {
    refuse(errc::result_memory);
    return std::nullopt;
  }
  out_.stack_frames.insert(out_.stack_frames.end(), leaf_first.begin(), leaf_first.end());
  out_.stacks.push_back({first, static_cast<std::uint32_t>(leaf_first.size())});
  std::uint64_t h = leaf_first.size();
  for (std::uint32_t const f : leaf_first) h = (h ^ f) * 0x9e3779b97f4a7c15ull;
  stack_hashes_.push_back(mix(h, h >> 32));
  auto const [it, fresh] = stacks_.insert(index);
  if (!fresh) {
    out_.stacks.pop_back();
    stack_hashes_.pop_back();
    out_.stack_frames.resize(first);
    result_.refund(stack_cost + leaf_first.size() * sizeof(std::uint32_t));
  }
  return stack_ref::of(*it);
}

std::optional<stack_ref> stack_resolver::callstack(interval& in, interval::callstack_entry& entry,
                                                   bool of_stack_sample) {
  if (entry.data == nullptr) return stack_ref::void_of(counter::stackprofile_invalid_callstack_id);
  // Root first in the trace, leaf first in the result: written from the back. One place more than the limit shows excess.
  leaf_first_.resize(limits_.callstack_depth);
  std::size_t const room = leaf_first_.size();
  std::size_t depth = 0;
  std::uint64_t iid = 0;
  std::optional<stack_ref> broken;
  repeated_varint ids(entry.bytes(), proto::fields::callstack::frame_ids);
  while (!entry.too_deep && ids.next(iid)) {
    if (depth == room) entry.too_deep = true;
    ++depth;
    if (broken || entry.too_deep) continue;
    auto* f = in.frames.find(iid);
    if (f == nullptr || f->data == nullptr) {
      broken = stack_ref::void_of(counter::stackprofile_invalid_frame_id);
      continue;
    }
    if (f->resolved == interval::unresolved && !resolve_frame(in, *f)) return std::nullopt;
    if (f->broken) {
      broken = stack_ref::void_of(f->why);
      continue;
    }
    std::uint32_t index = f->resolved;
    if (of_stack_sample) {
      auto const variant = runtime_variant(index);
      if (!variant) return std::nullopt;
      index = *variant;
    }
    leaf_first_[room - depth] = index;
  }
  if (entry.too_deep) {
    refuse(errc::callstack_too_deep);
    return std::nullopt;
  }
  if (broken) return broken;
  return stack_of(std::span(leaf_first_).last(depth));
}

std::optional<stack_ref> stack_resolver::inline_callstack(byte_span message, bool copy) {
  namespace f = proto::fields::inline_callstack_frame;
  leaf_first_.clear();
  wire_reader r(message);
  while (r.next()) {
    if (r.number() != proto::fields::inline_callstack::frames || !r.is_bytes()) continue;
    if (leaf_first_.size() == limits_.callstack_depth) {
      refuse(errc::callstack_too_deep);
      return std::nullopt;
    }
    frame_value v{};
    v.mapping = none;
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
    if (v.function == string_table::refused || v.source == string_table::refused) {
      refuse(errc::result_memory);
      return std::nullopt;
    }
    auto const index = frame_of(v);
    if (!index) return std::nullopt;
    leaf_first_.push_back(*index);
  }
  if (leaf_first_.empty()) return stack_ref::void_of(counter::sample_without_callstack);
  std::reverse(leaf_first_.begin(), leaf_first_.end());
  return stack_of(leaf_first_);
}

}  // namespace profile_relay::perfetto_decode
