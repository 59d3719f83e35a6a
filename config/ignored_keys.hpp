#pragma once

#include <span>
#include <string>
#include <string_view>

namespace profile_relay::config {

/// A key of Relay's configuration that is accepted and has no effect here. Source: contract 7, 9, 13.
struct ignored_key {
  std::string_view key;  ///< dotted; a section stands for everything below it
  std::string_view why;  ///< for the document
  /// What the warning line says of keys whose silence could surprise; empty = only their name.
  std::string_view note = "";
};

std::span<ignored_key const> ignored_keys();

/// The row that covers `key` (the key itself or a section above it); null pointer when Relay has no such key
/// either.
ignored_key const* find_ignored(std::string_view key);

/// Adds `name` (the key as given, or the variable that sets it) to a warning line's list, with the row's note.
void append_ignored_name(std::string& list, std::string_view name, ignored_key const* row);

}  // namespace profile_relay::config
