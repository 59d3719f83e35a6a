#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/document.hpp"
#include "config/load.hpp"

namespace profile_relay::config {

/// Applies the text of config.yml to a `settings`: options are set, keys without effect and unknown keys
/// warned of.
class file_reader {
 public:
  file_reader(std::string file_name, environment const& env, settings& target)
      : file_(std::move(file_name)), env_(env), target_(target) {}

  std::optional<error> read(std::string_view text);

  std::vector<std::string> take_warnings() { return std::move(warnings_); }
  /// The keys without effect that are in the file, as one list.
  std::string const& ignored() const { return ignored_; }
  std::string const& file() const { return file_; }
  /// Where an option was set; 0 = not in the file.
  int line_of(std::string_view key) const;

 private:
  std::optional<error> read_section(node const& section, std::string const& prefix);
  std::optional<error> read_entry(node const& value, std::string const& key);
  error fail(errc code, int line, std::string const& key, std::string what) const;

  std::string file_;
  environment const& env_;
  settings& target_;
  std::map<std::string, int, std::less<>> lines_;
  std::string ignored_;
  std::vector<std::string> warnings_;
};

}  // namespace profile_relay::config
