#include <algorithm>
#include <map>
#include <tuple>

#include "perfetto_decode/stack_resolver.hpp"
#include "proto/fields.hpp"

namespace profile_relay::perfetto_decode {
namespace {

std::string_view text_of(byte_span b) { return {reinterpret_cast<const char*>(b.data()), b.size()}; }

struct address_key {
  std::uint32_t mapping;
  std::uint64_t rel_pc;
  std::uint32_t frame;
  auto operator<=>(address_key const&) const = default;
};

}  // namespace

bool stack_resolver::apply_symbols(std::vector<byte_span> const& module_symbols) {
  namespace f = proto::fields::module_symbols;
  namespace a = proto::fields::address_symbols;
  namespace l = proto::fields::line;
  if (module_symbols.empty()) return true;
  // Two sorted indexes, so that each address costs O(log frames).
  std::size_t const cost = out_.frames.size() * sizeof(address_key) + out_.mappings.size() * 64;
  if (!working_.charge(cost)) return refuse(errc::working_memory);
  std::multimap<std::pair<std::string_view, std::string_view>, std::uint32_t> by_module;
  for (std::uint32_t m = 0; m < out_.mappings.size(); ++m)
    by_module.emplace(std::pair(out_.mappings[m].name, out_.mappings[m].build_id), m);
  std::vector<address_key> by_address;
  by_address.reserve(out_.frames.size());
  for (std::uint32_t i = 0; i < out_.frames.size(); ++i)
    if (out_.frames[i].mapping != none)
      by_address.push_back({out_.frames[i].mapping, out_.frames[i].rel_pc, i});
  std::sort(by_address.begin(), by_address.end());

  for (byte_span const message : module_symbols) {
    std::string_view path, build_id;
    wire_reader r(message);
    while (r.next()) {
      if (!r.is_bytes()) continue;
      if (r.number() == f::path) path = text_of(r.bytes());
      if (r.number() == f::build_id) build_id = text_of(r.bytes());
    }
    auto const [begin, end] = by_module.equal_range({path, build_id});
    if (begin == end) {
      out_.counts.add(counter::stackprofile_invalid_mapping_id);
      continue;
    }
    wire_reader addresses(message);
    while (addresses.next()) {
      if (addresses.number() != f::address_symbols || !addresses.is_bytes()) continue;
      std::uint64_t address = 0;
      std::uint32_t const first = static_cast<std::uint32_t>(out_.lines.size());
      wire_reader one(addresses.bytes());
      while (one.next()) {
        if (one.number() == a::address && one.is_varint()) address = one.value();
        if (one.number() != a::lines || !one.is_bytes()) continue;
        symbol_line line;
        std::string_view function, file;
        wire_reader fields(one.bytes());
        while (fields.next()) {
          if (fields.number() == l::function_name && fields.is_bytes()) function = text_of(fields.bytes());
          if (fields.number() == l::source_file_name && fields.is_bytes()) file = text_of(fields.bytes());
          if (fields.number() == l::line_number && fields.is_varint())
            line.line = static_cast<std::uint32_t>(fields.value());
        }
        auto const fn = intern_text(function, false), source = intern_text(file, false);
        if (fn == string_table::refused || source == string_table::refused ||
            !result_.charge(sizeof(symbol_line) + function.size() + file.size()))
          return refuse(errc::result_memory);
        line.function = strings_[fn];
        line.source_file = strings_[source];
        out_.lines.push_back(line);
      }
      auto const count = static_cast<std::uint32_t>(out_.lines.size()) - first;
      bool found = false;
      for (auto m = begin; m != end; ++m) {
        auto it = std::lower_bound(by_address.begin(), by_address.end(), address_key{m->second, address, 0});
        for (; it != by_address.end() && it->mapping == m->second && it->rel_pc == address; ++it) {
          out_.frames[it->frame].first_line = first;
          out_.frames[it->frame].line_count = count;
          found = true;
        }
      }
      if (!found) {
        out_.lines.resize(first);
        out_.counts.add(counter::stackprofile_invalid_frame_id);
      }
    }
  }
  working_.refund(cost);
  return true;
}

}  // namespace profile_relay::perfetto_decode
