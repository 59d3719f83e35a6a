#include <algorithm>
#include <tuple>

#include "perfetto_decode/stack_resolver.hpp"
#include "proto/fields.hpp"

namespace profile_relay::perfetto_decode {
namespace {

struct frame_at {
  std::uint32_t module;
  std::uint32_t frame;
  std::uint64_t rel_pc;
  bool operator<(frame_at const& other) const {
    return std::tie(module, rel_pc, frame) < std::tie(other.module, other.rel_pc, other.frame);
  }
};

using module_key = std::pair<std::string_view, std::string_view>;  // mapping name, raw build id

module_key module_of(byte_span module_symbols) {
  namespace f = proto::fields::module_symbols;
  module_key key;
  wire_reader r(module_symbols);
  while (r.next()) {
    if (!r.is_bytes()) continue;
    if (r.number() == f::path) key.first = text_of(r.bytes());
    if (r.number() == f::build_id) key.second = text_of(r.bytes());
  }
  return key;
}

std::uint64_t address_of(byte_span address_symbols) {
  std::uint64_t address = 0;
  wire_reader r(address_symbols);
  while (r.next())
    if (r.number() == proto::fields::address_symbols::address && r.is_varint()) address = r.value();
  return address;
}

struct line_fields {
  std::string_view function, file;
  std::uint32_t number = 0;
};

line_fields read_line(byte_span message) {
  namespace l = proto::fields::line;
  line_fields line;
  wire_reader r(message);
  while (r.next()) {
    if (r.number() == l::function_name && r.is_bytes()) line.function = text_of(r.bytes());
    if (r.number() == l::source_file_name && r.is_bytes()) line.file = text_of(r.bytes());
    if (r.number() == l::line_number && r.is_varint()) line.number = static_cast<std::uint32_t>(r.value());
  }
  return line;
}

}  // namespace

/// Complexity: O(n log n) in frames and mappings, then O(log frames) for each address and O(1) for each frame it names.
void stack_resolver::apply_symbols(budget_vector<byte_span> const& module_symbols) {
  namespace f = proto::fields::module_symbols;
  if (module_symbols.empty()) return;
  budget_map<module_key, std::uint32_t> modules(working_);
  budget_vector<std::uint32_t> module_of_mapping(working_);
  module_of_mapping.reserve(out_.mappings.size());
  for (auto const& m : out_.mappings)
    module_of_mapping.push_back(
        modules.try_emplace({m.name, m.build_id}, static_cast<std::uint32_t>(modules.size())).first->second);
  budget_vector<frame_at> frames(working_);
  frames.reserve(out_.frames.size());
  for (std::uint32_t i = 0; i < out_.frames.size(); ++i)
    if (auto const& frame = out_.frames[i]; frame.mapping != none)
      frames.push_back({module_of_mapping[frame.mapping], i, frame.rel_pc});
  std::sort(frames.begin(), frames.end());

  for (byte_span const message : module_symbols) {
    auto const module = modules.find(module_of(message));
    if (module == modules.end()) {
      out_.counts.add(counter::stackprofile_invalid_mapping_id);
      continue;
    }
    wire_reader addresses(message);
    while (addresses.next()) {
      if (addresses.number() != f::address_symbols || !addresses.is_bytes()) continue;
      auto const address = address_of(addresses.bytes());
      auto it = std::lower_bound(frames.begin(), frames.end(), frame_at{module->second, 0, address});
      auto const names = [&](frame_at const& x) { return x.module == module->second && x.rel_pc == address; };
      if (it == frames.end() || !names(*it)) {
        out_.counts.add(counter::stackprofile_invalid_frame_id);
        continue;
      }
      auto const first = static_cast<std::uint32_t>(out_.lines.size());
      add_lines(addresses.bytes());
      auto const count = static_cast<std::uint32_t>(out_.lines.size()) - first;
      for (; it != frames.end() && names(*it); ++it) {
        out_.frames[it->frame].first_line = first;
        out_.frames[it->frame].line_count = count;
      }
    }
  }
}

void stack_resolver::add_lines(byte_span address_symbols) {
  wire_reader r(address_symbols);
  while (r.next()) {
    if (r.number() != proto::fields::address_symbols::lines || !r.is_bytes()) continue;
    auto const line = read_line(r.bytes());
    auto const function = intern_text(line.function, false), file = intern_text(line.file, false);
    result_.take(line.function.size() + line.file.size());
    out_.lines.push_back({strings_[function], strings_[file], line.number, function, file});
  }
}

}  // namespace profile_relay::perfetto_decode
