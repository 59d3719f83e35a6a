#pragma once

#include <span>
#include <string_view>

#include "config/option.hpp"

namespace profile_relay::config {

/// Every key an operator can set, in the order of the documents. Defaults are those of `settings`' members.
/// Adding an option = one member in `settings` and one row here.
std::span<option const> option_table();

/// Null pointer when there is no such key.
option const* find_option(std::string_view key);

/// True for "limits", "processing.topics": a dotted prefix of an option.
bool is_section(std::string_view key);

/// The option or section closest to a misspelt key.
std::string_view nearest_key(std::string_view key);

}  // namespace profile_relay::config
