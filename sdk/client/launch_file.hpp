// What one launch leaves for the next (profiling API, R18).
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "sdk/lifecycle/lifecycle_events.hpp"

namespace profile_relay::sdk {

/// The file in `state_dir`; replaced as a whole, so that a crash leaves the old one or the new one.
inline constexpr char const* launch_file_name = "profile-relay-launch";

/// Absent when the file is missing, cannot be read, or is not exactly what store_launch writes.
[[nodiscard]] std::optional<launch_decision> read_launch(std::filesystem::path const& state_dir) noexcept;

/// Makes the folder if needed. Returns why it failed; empty when it did not.
[[nodiscard]] std::string store_launch(std::filesystem::path const& state_dir,
                                       launch_decision const& decision);

/// Removes it, if it is there and may be removed.
void forget_launch(std::filesystem::path const& state_dir) noexcept;

}  // namespace profile_relay::sdk
