#include "server/io/config_watcher.hpp"

#include <algorithm>
#include <utility>

#include "config/changes.hpp"
#include "server/io/cmd_files.hpp"
#include "server/io/logging.hpp"
#include "server/io/regular_file.hpp"

namespace profile_relay::server {

namespace {

constexpr std::size_t max_file_bytes = 4u << 20;
constexpr std::string_view kept_note = " (the options in force stay)";

/// Unlike at the start, nothing may be waited for here.
std::optional<std::string> read_now(std::filesystem::path const& path) {
  return read_regular_file(path, max_file_bytes).text;
}

}  // namespace

config_watcher::config_watcher(config_arguments arguments, config::settings started_with,
                               std::chrono::seconds interval, apply to)
    : arguments_(std::move(arguments)),
      in_force_(std::move(started_with)),
      apply_(std::move(to)),
      seen_(read_now(config_file(arguments_))) {
  timer_.emplace(interval, "config.yml could not be reloaded", [this] { reload(); });
}

void config_watcher::reload() {
  auto text = read_now(config_file(arguments_));
  if (text == seen_) return;
  seen_ = std::move(text);
  if (!seen_) {
    log(log_level::error,
        config_file(arguments_).string() + ": cannot be read any more" + std::string(kept_note));
    return;
  }
  auto const loaded = load_folder(arguments_, read_now);
  if (!loaded) {
    log(log_level::error, loaded.error().to_string() + std::string(kept_note));
    return;
  }
  for (auto const& line : loaded->warnings) log(log_level::warn, line);

  std::vector<log_field> live;
  std::string others;
  for (auto& change : config::changes(in_force_, loaded->values)) {
    if (change.live)
      live.push_back({change.key, std::move(change.now)});
    else
      others += (others.empty() ? "" : ", ") + change.key;
  }
  if (!others.empty())
    log(log_level::warn,
        config_file(arguments_).string() + ": these options have changed and need a restart: " + others);
  if (live.empty()) return;
  in_force_.health = loaded->values.health;
  apply_(in_force_.health);
  log(log_level::info, "health options reloaded", live);
}

}  // namespace profile_relay::server
