// The loaded images with their symbols, kept over dlopen() and dlclose().
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "sdk/trace/loaded_images.hpp"
#include "sdk/trace/symbol_table.hpp"

namespace profile_relay::sdk {

/// An image under a number that no other image gets as long as this process lives.
struct known_image : loaded_image {
  std::uint64_t id = 0;
  std::unique_ptr<symbol_table> symbols;  ///< null when there are none to be read
};

/// Which image holds an address. Symbols are read once per image, when it is first seen: all at construction, later ones
/// by refresh(), which then costs the caller some 10 ms per 100,000 functions of the new image (`./dev bench sdk` prints
/// it). Images beyond most_functions keep their addresses and build ids but get no names. Not thread-safe.
class image_table {
 public:
  /// Functions kept in all, at 16 bytes each.
  static constexpr std::size_t most_functions = 2'000'000;

  explicit image_table(std::size_t functions = most_functions);

  /// Looks whether images came or went; true if so. A pointer to an image that went is dangling then.
  bool refresh();
  /// Null when no image holds it: generated code, or none at all.
  [[nodiscard]] known_image const* find(std::uintptr_t address) const;
  [[nodiscard]] std::vector<std::unique_ptr<known_image>> const& images() const { return images_; }

 private:
  void read();

  std::size_t const functions_;
  loader_counts counts_;
  std::uint64_t last_id_ = 0;
  std::vector<std::unique_ptr<known_image>> images_;  // by start
};

}  // namespace profile_relay::sdk
