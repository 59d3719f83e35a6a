#include "sdk/trace/image_table.hpp"

#include <algorithm>

namespace profile_relay::sdk {
namespace {

std::unique_ptr<symbol_table> symbols_of(loaded_image const& image, bool is_program, std::size_t most) {
  if (image.path == "[vdso]")
    return read_symbols(reinterpret_cast<char const*>(image.start), image.end - image.start, most);
  // Under this name the program is found even when its file was moved or deleted.
  return read_symbols(is_program ? "/proc/self/exe" : image.path, image.build_id, most);
}

}  // namespace

image_table::image_table(std::size_t functions) : functions_(functions) { read(); }

bool image_table::refresh() {
  if (count_loaded_images() == counts_) return false;
  read();
  return true;
}

void image_table::read() {
  auto listed = list_loaded_images(counts_);
  auto before = std::move(images_);
  images_.clear();
  std::size_t held = 0;
  std::vector<std::pair<known_image*, bool>> fresh;
  for (auto& image : listed) {
    bool const is_program = &image == &listed.front();
    auto const same = std::find_if(before.begin(), before.end(), [&](auto const& b) {
      return b != nullptr && static_cast<loaded_image const&>(*b) == image;
    });
    if (same != before.end()) {
      if ((*same)->symbols != nullptr) held += (*same)->symbols->functions();
      images_.push_back(std::move(*same));
      continue;
    }
    auto added = std::make_unique<known_image>();
    static_cast<loaded_image&>(*added) = std::move(image);
    added->id = ++last_id_;
    fresh.emplace_back(added.get(), is_program);
    images_.push_back(std::move(added));
  }
  for (auto const& [image, is_program] : fresh) {
    image->symbols = symbols_of(*image, is_program, functions_ - held);
    if (image->symbols != nullptr) held += image->symbols->functions();
  }
  std::sort(images_.begin(), images_.end(), [](auto const& a, auto const& b) { return a->start < b->start; });
}

known_image const* image_table::find(std::uintptr_t address) const {
  auto const after = std::upper_bound(images_.begin(), images_.end(), address,
                                      [](std::uintptr_t a, auto const& image) { return a < image->start; });
  if (after == images_.begin()) return nullptr;
  auto const& image = *(after - 1);
  return address < image->end ? image.get() : nullptr;
}

}  // namespace profile_relay::sdk
