#include "server/io/project_watcher.hpp"

#include <algorithm>
#include <utility>

#include "server/io/logging.hpp"
#include "server/io/project_folder.hpp"

namespace profile_relay::server {

project_watcher::project_watcher(std::filesystem::path folder, std::chrono::seconds interval)
    : folder_(std::move(folder)) {
  reload();
  timer_.emplace(interval, "the projects could not be reloaded", [this] { reload(); });
}

std::shared_ptr<const config::project_snapshot> project_watcher::snapshot() const {
  std::scoped_lock lock(mutex_);
  return snapshot_;
}

std::size_t project_watcher::broken_files() const {
  std::scoped_lock lock(mutex_);
  return broken_;
}

void project_watcher::reload() {
  auto const first = !snapshot();
  auto folder = read_project_folder(folder_);
  if (!folder.problem.empty()) return keep_what_was(folder);
  auto const report = set_.reload(std::move(folder.files));
  log_new(report.errors, report.warnings);
  broken_in_set_ = report.broken_files;
  auto fresh = set_.snapshot();
  auto const count = fresh->size();
  {
    std::scoped_lock lock(mutex_);
    snapshot_ = std::move(fresh);
    broken_ = broken_in_set_;
  }
  // The first reload is not news: the line "ready" tells the count.
  if (report.changed && !first)
    log(log_level::info, "projects reloaded", {{"projects", std::to_string(count)}});
}

void project_watcher::keep_what_was(project_folder const& folder) {
  auto const line =
      folder_.string() + ": cannot be listed: " + folder.problem + " (the projects in force stay)";
  std::scoped_lock lock(mutex_);
  if (!snapshot_) snapshot_ = set_.snapshot();
  // A server may be set up before its first project.
  bool const expected = folder.missing && snapshot_->size() == 0;
  broken_ = broken_in_set_ + (expected ? 0 : 1);
  if (expected)
    log_new({}, {line});
  else
    log_new({line}, {});
}

void project_watcher::log_new(std::vector<std::string> const& errors,
                              std::vector<std::string> const& warnings) {
  std::vector<std::string> lines;
  for (auto const& [level, list] : {std::pair{log_level::error, &errors}, {log_level::warn, &warnings}}) {
    for (auto const& line : *list) {
      if (std::ranges::find(logged_, line) == logged_.end()) log(level, line);
      lines.push_back(line);
    }
  }
  logged_ = std::move(lines);
}

}  // namespace profile_relay::server
