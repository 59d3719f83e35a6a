#include "sdk/trace/symbolizer.hpp"

#include "sdk/trace/text.hpp"

namespace profile_relay::sdk {
namespace {

// What a node of the map takes besides its text.
constexpr std::size_t node_bytes = 96;

}  // namespace

bool symbolizer::refresh() {
  if (!images_.refresh()) return false;
  names_.clear();
  bytes_ = 0;
  return true;
}

located_address symbolizer::locate(std::uintptr_t address) {
  auto const* const image = images_.find(address);
  if (image == nullptr) return {};
  auto known = names_.find(address);
  if (known == names_.end()) {
    std::string name;
    if (image->symbols != nullptr) name = function_name(image->symbols->name_at(address - image->bias));
    auto const cost = node_bytes + name.size();
    if (bytes_ + cost > max_cached) {
      names_.clear();
      bytes_ = 0;
    }
    bytes_ += cost;
    known = names_.emplace(address, std::move(name)).first;
  }
  return {image->id, image, known->second};
}

}  // namespace profile_relay::sdk
