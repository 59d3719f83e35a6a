#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/error.hpp"
#include "config/settings.hpp"

namespace profile_relay::config {

/// What the outside world offers to `load`; passed in so that loading stays pure.
struct environment {
  std::function<std::optional<std::string>(std::string const& name)> variable;
  std::function<std::optional<std::string>(std::filesystem::path const&)> read_file;
};

struct loaded {
  settings values;
  /// One line each: unknown keys with the nearest known one, keys and variables without effect.
  std::vector<std::string> warnings;
};

/// Defaults < `config_text` (config.yml; absent = no file) < environment < `overrides` (dotted key -> text,
/// from the command line). `config_dir` anchors relative paths. The first wrong value is the error; an
/// unknown key is a warning in the file and an error on the command line. Source: contract 9.
result<loaded> load(std::filesystem::path const& config_dir, std::optional<std::string_view> config_text,
                    environment const& env, std::map<std::string, std::string> const& overrides = {});

/// A commented config.yml with every option at its default, generated from the option table.
std::string default_config_text();
/// The operator's document (Markdown table), generated from the option table.
std::string options_markdown();
/// `config show`: the effective settings as YAML; secrets print as "[redacted]".
std::string show(settings const& s);
/// A demo project file for project 1 with both feature flags on.
std::string demo_project_text(std::string_view public_key_hex);

}  // namespace profile_relay::config
