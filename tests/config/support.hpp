#pragma once

#include <catch2/catch.hpp>
#include <map>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>

#include "config/load.hpp"

// The outside world of a test, and short names for what every test does.

namespace config_test {

using variables = std::map<std::string, std::string>;
using files = std::map<std::string, std::string>;

inline profile_relay::config::environment world(variables vars = {}, files texts = {}) {
  profile_relay::config::environment env;
  env.variable = [vars](std::string const& name) -> std::optional<std::string> {
    auto const it = vars.find(name);
    return it == vars.end() ? std::nullopt : std::optional(it->second);
  };
  env.read_file = [texts](std::filesystem::path const& path) -> std::optional<std::string> {
    auto const it = texts.find(path.string());
    return it == texts.end() ? std::nullopt : std::optional(it->second);
  };
  return env;
}

inline auto load_text(std::string_view text, variables vars = {},
                      std::map<std::string, std::string> const& overrides = {}) {
  return profile_relay::config::load("/etc/pr", text, world(std::move(vars)), overrides);
}

/// The error's line as an operator sees it, or what loaded instead.
template <class T>
std::string message(profile_relay::config::result<T> const& r) {
  return r ? std::string("(accepted)") : r.error().to_string();
}

/// "a.b.c" and a value as the text of a config.yml; the key stands in line `depth`.
inline std::string yaml_for(std::string_view key, std::string_view value) {
  std::string out;
  std::string indent;
  for (auto dot = key.find('.'); dot != std::string_view::npos; dot = key.find('.')) {
    out += indent + std::string(key.substr(0, dot)) + ":\n";
    indent += "  ";
    key.remove_prefix(dot + 1);
  }
  return out + indent + std::string(key) + ": " + std::string(value) + "\n";
}

inline bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

}  // namespace config_test

namespace Catch {

/// A failed REQUIRE(result) shows the operator's line; the library's own printing needs a printable value.
template <class T>
struct StringMaker<boost::system::result<T, profile_relay::config::error>> {
  static std::string convert(profile_relay::config::result<T> const& r) { return config_test::message(r); }
};

}  // namespace Catch
