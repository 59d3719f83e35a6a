#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/error.hpp"

namespace profile_relay::config {

/// A value of config.yml or of a project file with its line, free of the parser that read it.
/// Refuses to guess types: every YAML scalar is `text`, so a Kafka property written as 5 or true keeps its
/// spelling.
struct node {
  enum class kind : std::uint8_t { null, boolean, number, text, list, map };

  kind type = kind::null;
  int line = 0;                   ///< 1-based, 0 = unknown
  std::string scalar;             ///< boolean, number and text: as written
  std::vector<node> items;        ///< list and map
  std::vector<std::string> keys;  ///< map: keys[i] names items[i]

  /// The value under `key`, the last one if it is there twice; null pointer when absent or not a map.
  node const* find(std::string_view key) const;
  bool is(kind k) const { return type == k; }

  static node of_text(std::string_view text);
};

/// What people call a kind: "a list", "text".
std::string_view name_of(node::kind k);

/// Nesting and size bounds of both readers. 64 levels keep every recursion over a `node` far from the stack's
/// end; the value count stops YAML aliases from multiplying (each use of an alias is a copy).
inline constexpr int max_depth = 64;
inline constexpr std::size_t max_nodes = 200'000;

/// Reads one YAML document (an empty one is null). Errors: `syntax` with line; keys given twice are refused.
result<node> parse_yaml(std::string_view file_name, std::string_view text);

/// Reads one JSON document. Errors: `syntax` with line and column. Of a key given twice the last one counts.
result<node> parse_json(std::string_view file_name, std::string_view text);

}  // namespace profile_relay::config
