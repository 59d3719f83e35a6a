#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "profile/expand.hpp"

namespace profile_relay::server {

/// A counter of profile::expand_notes under its name in metrics, log and `inspect`.
struct note_counter {
  std::string_view name;
  std::string_view meaning;
  std::uint64_t profile::expand_notes::*value;
};
std::span<const note_counter> note_counters();

/// Every decode and conversion counter of a chunk that is not zero, by name.
std::vector<std::pair<std::string_view, std::uint64_t>> non_zero(profile::expand_notes const& n);

}  // namespace profile_relay::server
