#include "profile/convert_frames.hpp"

#include <algorithm>

#include "profile/ids.hpp"

namespace profile_relay::profile {

using perfetto_decode::decoded_trace;
using perfetto_decode::none;
using perfetto_decode::symbol_line;

frame_list::frame_list(decoded_trace const& trace, options opts, image_list& images, sample_v2::chunk& to)
    : trace_(trace),
      options_(std::move(opts)),
      images_(images),
      to_(to),
      emitted_(trace.frames.size(), none),
      mappings_(trace.mappings.size()),
      unique_(0, frame_hash{this}, frame_equal{this}) {
  no_mapping_.known = true;
  static_assert(sizeof(frame_key) <= 40);
  to_.frames.reserve(trace.frames.size() + trace.lines.size());
  keys_.reserve(trace.frames.size() + trace.lines.size());
  unique_.reserve(trace.frames.size() + trace.lines.size());
}

bool frame_list::is_executable(std::string_view package) const {
  return !package.empty() &&
         std::binary_search(options_.executables.begin(), options_.executables.end(), package);
}

frame_list::mapping_memo const& frame_list::memo_of(std::uint32_t mapping) {
  if (mapping == none) return no_mapping_;
  auto& memo = mappings_[mapping];
  if (memo.known) return memo;
  auto const& m = trace_.mappings[mapping];
  memo.known = true;
  memo.traits = traits_of(m);
  memo.has_debug_id = debug_id_of_build_id(m.build_id).has_value();
  if (const auto package = package_of(m.name); !package.empty()) memo.package = package;
  if (memo.package) memo.package_id = m.name_id;
  memo.in_app = is_app_library(m.name) || is_executable(memo.package.text());
  return memo;
}

void frame_list::push_run(std::uint32_t decoded_frame) {
  auto const& f = trace_.frames[decoded_frame];
  auto& known = emitted_[decoded_frame];
  if (known == none && f.line_count == 0) {
    known = emit(f);
    to_.stacks.push(known);
    return;
  }
  if (known == none) {
    const auto first = static_cast<std::uint32_t>(run_frames_.size());
    for (std::uint32_t i = 0; i < f.line_count; ++i)
      run_frames_.push_back(emit_line(f, trace_.lines[f.first_line + i], i + 1 == f.line_count));
    known = first_run + static_cast<std::uint32_t>(runs_.size());
    runs_.push_back({first, f.line_count});
  }
  auto const& r = runs_[known - first_run];
  for (std::uint32_t i = 0; i < r.count; ++i) to_.stacks.push(run_frames_[r.first + i]);
}

std::uint32_t frame_list::emit(perfetto_decode::frame const& f) {
  auto const& memo = memo_of(f.mapping);
  const auto platform = platform_of(f, f.function, memo.traits);
  sample_v2::frame out;
  if (platform == frame_platform::native && f.mapping != none) {
    auto const& m = trace_.mappings[f.mapping];
    if (m.has_range()) {
      out.instruction_addr = m.pc(f.rel_pc);
    } else if (memo.has_debug_id && f.rel_pc != 0) {
      // Chrome's form: relative to a module that is known by its id alone. 0 stands for a frame with a name
      // instead.
      out.instruction_addr = f.rel_pc;
    }
  }
  frame_key key{};
  key.function = f.function_id;
  key.platform = platform;
  return finish(out, key, f, f.function, memo);
}

std::uint32_t frame_list::emit_line(perfetto_decode::frame const& f, symbol_line const& line, bool physical) {
  auto const& memo = memo_of(f.mapping);
  // The last line is the physical function, which the frame's own name may tell.
  const bool own_name = line.function.empty() && physical;
  const auto function = own_name ? f.function : line.function;
  // No address: the server would expand inlined functions a second time.
  sample_v2::frame out;
  if (!line.source_file.empty()) {
    out.abs_path = line.source_file;
    out.filename = line.source_file.substr(line.source_file.rfind('/') + 1);
  }
  if (line.line != 0) out.lineno = line.line;
  frame_key key{};
  key.function = own_name ? f.function_id : line.function_id;
  key.file = line.source_file_id;
  key.platform = platform_of(f, function, memo.traits);
  return finish(out, key, f, function, memo);
}

std::size_t frame_list::hash_of(frame_key const& k, perfetto_decode::hash_seed seed) {
  return perfetto_decode::hash_words(seed, k.address, (std::uint64_t{k.function} << 32) | k.package,
                                     (std::uint64_t{k.file} << 32) | k.line);
}

std::uint32_t frame_list::finish(sample_v2::frame& out, frame_key key, perfetto_decode::frame const& f,
                                 std::string_view function, mapping_memo const& memo) {
  constexpr std::string_view unknown = "unknown";
  constexpr std::uint32_t unknown_id = 0xffff'ffff;  // for the word itself, whoever wrote it
  switch (key.platform) {
    case frame_platform::native:
      if (f.mapping != none) images_.use(f.mapping);
      [[fallthrough]];
    case frame_platform::native_without_address:
      out.platform = "native";
      break;
    case frame_platform::java: {
      const auto name = split_java(function);
      if (!name.module.empty()) out.module = name.module;
      function = name.function;
      out.platform = "java";
      break;
    }
    case frame_platform::of_chunk:
      break;
  }
  if (!function.empty()) out.function = function;
  out.package = memo.package;
  if (!out.function && !out.instruction_addr && !out.package && !out.abs_path) out.function = unknown;
  if (options_.set_in_app) out.in_app = memo.in_app && key.platform != frame_platform::native_without_address;

  key.package = memo.package_id;
  key.has_address = out.instruction_addr.has_value();
  key.address = out.instruction_addr.value_or(0);
  key.has_line = out.lineno.has_value();
  key.line = out.lineno.value_or(0);
  if (!out.module && out.function.text() == unknown) key.function = unknown_id;
  // Both are written as "native"; where they differ in anything else, that is in the key.
  if (key.platform == frame_platform::native_without_address && (!options_.set_in_app || !memo.in_app))
    key.platform = frame_platform::native;

  const auto index = static_cast<std::uint32_t>(to_.frames.size());
  to_.frames.push_back(out);
  keys_.push_back(key);
  const auto [at, is_new] = unique_.insert(index);
  if (is_new) return index;
  to_.frames.pop_back();
  keys_.pop_back();
  return *at;
}

}  // namespace profile_relay::profile
