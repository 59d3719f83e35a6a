#pragma once

#include <span>
#include <string_view>

namespace profile_relay::config {

/// A key of Relay's configuration that is accepted and has no effect here. Source: contract 7, 9, 13.
struct ignored_key {
  std::string_view key;  ///< dotted; a section stands for everything below it
  std::string_view why;  ///< for the document
  /// A sentence of its own for keys whose silence could surprise; empty = named in the common warning line.
  std::string_view warning = "";
};

std::span<ignored_key const> ignored_keys();

/// The row that covers `key` (the key itself or a section above it); null pointer when Relay has no such key
/// either.
ignored_key const* find_ignored(std::string_view key);

}  // namespace profile_relay::config
