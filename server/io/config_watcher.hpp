#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "config/settings.hpp"
#include "server/io/cmd.hpp"
#include "server/io/periodic.hpp"

namespace profile_relay::server {

/// Reads config.yml again every `interval` while the server runs and hands on its `health` section, the only
/// one that takes effect without a restart (contract 9). Environment and command line still win over the file.
/// Other options that changed are named in a warning. A file that cannot be used, or is gone, changes nothing
/// and is an error line. Each line is logged once per change of the file.
class config_watcher {
 public:
  using apply = std::function<void(config::settings::health_section const&)>;

  /// `started_with` = what the server runs with. `to` is called from the watcher's thread.
  config_watcher(config_arguments arguments, config::settings started_with, std::chrono::seconds interval,
                 apply to);

 private:
  void reload();

  config_arguments arguments_;
  config::settings in_force_;
  apply apply_;
  std::optional<std::string> seen_;  ///< the text of the file when it was last looked at
  std::optional<periodic> timer_;
};

}  // namespace profile_relay::server
