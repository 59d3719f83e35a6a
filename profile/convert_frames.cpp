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
  to_.frames.reserve(trace.frames.size());
  hashes_.reserve(trace.frames.size());
  unique_.reserve(trace.frames.size());
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
  memo.package_hash = hash_text(memo.package.text(), seed_from(this));
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
  // A few bytes of symbols can stand for any number of inlined frames.
  if (f.line_count > options_.max_stack_entries ||
      to_.stacks.frame_count() + f.line_count > options_.max_stack_entries) {
    full_ = true;
    return;
  }
  if (known == none) {
    const auto first = static_cast<std::uint32_t>(run_frames_.size());
    for (std::uint32_t i = 0; i < f.line_count; ++i) {
      auto const& line = trace_.lines[f.first_line + i];
      // The last line is the physical function, which the frame's own name may tell.
      const bool physical = i + 1 == f.line_count;
      run_frames_.push_back(
          emit_line(f, line, line.function.empty() && physical ? f.function : line.function));
    }
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
  return finish(out, f, f.function, platform, memo);
}

std::uint32_t frame_list::emit_line(perfetto_decode::frame const& f, symbol_line const& line,
                                    std::string_view function) {
  auto const& memo = memo_of(f.mapping);
  // No address: the server would expand inlined functions a second time.
  sample_v2::frame out;
  if (!line.source_file.empty()) {
    out.abs_path = line.source_file;
    out.filename = line.source_file.substr(line.source_file.rfind('/') + 1);
  }
  if (line.line != 0) out.lineno = line.line;
  return finish(out, f, function, platform_of(f, function, memo.traits), memo);
}

std::uint32_t frame_list::finish(sample_v2::frame& out, perfetto_decode::frame const& f,
                                 std::string_view function, frame_platform platform,
                                 mapping_memo const& memo) {
  switch (platform) {
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
  if (!out.function && !out.instruction_addr && !out.package && !out.abs_path) out.function = "unknown";
  if (options_.set_in_app) out.in_app = memo.in_app && platform != frame_platform::native_without_address;

  using perfetto_decode::mix;
  const auto seed = seed_from(this);
  auto h = mix(memo.package_hash, hash_text(out.function.text(), seed));
  h = mix(h, out.instruction_addr.value_or(0));
  if (out.module) h = mix(h, hash_text(*out.module, seed));
  if (out.abs_path) h = mix(h, hash_text(*out.abs_path, seed));
  if (out.lineno) h = mix(h, *out.lineno);

  const auto index = static_cast<std::uint32_t>(to_.frames.size());
  to_.frames.push_back(out);
  hashes_.push_back(h);
  const auto [at, is_new] = unique_.insert(index);
  if (is_new) return index;
  to_.frames.pop_back();
  hashes_.pop_back();
  return *at;
}

}  // namespace profile_relay::profile
