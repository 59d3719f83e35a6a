#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace profile_relay::config {

/// What one of a category's quantities counts; a counted quota cannot add up two of them.
enum class category_unit : std::uint8_t { count, bytes, milliseconds };

/// The unit of a data category as Relay names it in quotas and rate limits; absent = no such category.
std::optional<category_unit> unit_of_category(std::string_view name);

}  // namespace profile_relay::config
