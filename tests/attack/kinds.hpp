#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace attack {

/// A way to make a trace hard to decode, at any size: the input grows in proportion to n, and so must the work.
struct kind {
  std::string_view name;
  std::string (*make)(std::size_t n);
  std::size_t usual;         ///< n for some ten million instructions
  std::string_view doubled;  ///< what grows with n, for people
};

std::span<const kind> all_kinds();
/// nullptr when there is none of this name.
kind const* find_kind(std::string_view name);

// By file: kinds_<what>.cpp.
std::span<const kind> kinds_of_tables();
std::span<const kind> kinds_of_clocks();
std::span<const kind> kinds_of_names();
std::span<const kind> kinds_of_packets();
std::span<const kind> kinds_of_collisions();
std::span<const kind> kinds_of_products();

}  // namespace attack
