#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "config/load.hpp"
#include "config/option.hpp"

namespace profile_relay::config {

/// Replaces `${NAME}` by an environment variable and `${file:PATH}` by a file's text in one string value of
/// config.yml.
///
/// - A relative PATH starts at the configuration folder; one line break at the file's end is cut off (secrets
/// mounted
///   as files end in one).
/// - `$${` writes a literal `${`; any other `$` stays as it is.
/// - What is put in is not searched again.
/// Refuses a variable or file that does not exist, an empty name, and `${` without `}`; `out` is then
/// unspecified.
verdict substitute(std::string_view text, environment const& env, std::filesystem::path const& config_dir,
                   std::string& out);

/// The same for every text inside `value`; keys of maps stay as they are.
verdict substitute_all(node& value, environment const& env, std::filesystem::path const& config_dir);

}  // namespace profile_relay::config
