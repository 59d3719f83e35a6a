#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "config/project.hpp"
#include "server/io/periodic.hpp"
#include "server/io/project_folder.hpp"

namespace profile_relay::server {

/// Keeps the projects of a folder up to date: reads it once in the constructor and again every `interval` in
/// a thread of its own. Readers take an immutable snapshot; a reload swaps it whole. Each error or warning is
/// logged once per change.
///
/// A folder that can no longer be listed, or is gone, changes nothing: a lost mount must not take all
/// projects away. It is logged and counts as one more broken file.
class project_watcher {
 public:
  project_watcher(std::filesystem::path folder, std::chrono::seconds interval);

  std::shared_ptr<const config::project_snapshot> snapshot() const;
  std::size_t broken_files() const;

 private:
  void reload();
  void keep_what_was(project_folder const& folder);
  void log_new(std::vector<std::string> const& errors, std::vector<std::string> const& warnings);

  std::filesystem::path folder_;
  // These three belong to whoever reloads: the constructor, then the thread.
  config::project_set set_;
  std::size_t broken_in_set_ = 0;
  std::vector<std::string> logged_;
  mutable std::mutex mutex_;  // guards the next two
  std::shared_ptr<const config::project_snapshot> snapshot_;
  std::size_t broken_ = 0;
  std::optional<periodic> timer_;
};

}  // namespace profile_relay::server
