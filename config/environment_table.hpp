#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/load.hpp"
#include "config/option.hpp"

namespace profile_relay::config {

/// What a variable does. Source: contract 9.
enum class variable_effect : std::uint8_t {
  set,         ///< the option `key` from the variable's text
  set_strict,  ///< a boolean option from true, 1, false, 0 or nothing
  broker,      ///< adds or replaces bootstrap.servers
  ignore,      ///< `key` names an ignored key with a note of its own, or is empty
};

struct variable_row {
  std::string_view name;
  variable_effect effect;
  std::string_view key;
  std::string_view description;
};

std::span<variable_row const> variable_table();

/// Applies every variable that is there. One with an empty text counts as absent, except those of
/// `set_strict`. Errors carry the variable's name as key. Ignored ones end in `warnings`.
std::optional<error> apply_variables(environment const& env, settings& s, std::vector<std::string>& warnings);

}  // namespace profile_relay::config
