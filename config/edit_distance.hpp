#pragma once

#include <cstddef>
#include <string_view>

namespace profile_relay::config {

/// Fewest insertions, deletions and replacements of one character that turn `a` into `b`.
/// Only the first 128 characters of each count, so that a hostile key stays cheap.
std::size_t edit_distance(std::string_view a, std::string_view b);

}  // namespace profile_relay::config
