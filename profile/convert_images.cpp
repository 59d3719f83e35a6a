#include "profile/convert_images.hpp"

#include <algorithm>

#include "profile/ids.hpp"
#include "profile/mapping_rules.hpp"

namespace profile_relay::profile {

using perfetto_decode::mapping;

std::uint64_t image_address(mapping const& m) {
  const auto base = m.image_base();
  return base == 0 || base > m.start ? m.start - m.elf_offset() : base;
}

image_list::image_list(perfetto_decode::decoded_trace const& trace, sample_v2::chunk& to)
    : trace_(trace),
      to_(to),
      seen_(trace.mappings.size()),
      index_(0, identity_hash{perfetto_decode::seed_of(this)}) {}

void image_list::use(std::uint32_t mapping_index) {
  if (seen_[mapping_index]) return;
  seen_[mapping_index] = true;
  mapping const& m = trace_.mappings[mapping_index];
  if (m.name.empty()) return;
  if (!m.has_range()) {
    ++without_range_;
    return;
  }
  auto debug_id = debug_id_of_build_id(m.build_id);
  if (!debug_id) {
    ++without_build_id_;
    return;
  }
  const auto address = image_address(m);
  const auto code_file = package_of(m.name);
  if (!index_.try_emplace({code_file, address}, to_.images.size()).second) return;
  auto& i = to_.images.emplace_back();
  i.type = "symbolic";
  if (!code_file.empty()) i.code_file = code_file;
  i.debug_id = to_.own(std::move(*debug_id));
  i.image_addr = address;
  i.image_vmaddr = address - m.image_base();
}

void image_list::set_sizes() {
  if (index_.empty()) return;
  for (mapping const& m : trace_.mappings) {
    if (!m.has_range()) continue;
    const auto address = image_address(m);
    const auto at = index_.find({package_of(m.name), address});
    if (at == index_.end() || m.end <= address) continue;
    auto& size = to_.images[at->second].image_size;
    size = std::max(size, m.end - address);
  }
}

}  // namespace profile_relay::profile
