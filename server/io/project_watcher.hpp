#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "config/project.hpp"

namespace profile_relay::server {

/// The regular files (or symlinks to such) of a folder that end in ".json", with their text.
/// A folder that does not exist has none.
std::vector<config::project_file> read_project_files(std::filesystem::path const& folder);

/// Keeps the projects of a folder up to date: reads it once in the constructor and again every `interval` in
/// a thread of its own. Readers take an immutable snapshot; a reload swaps it whole. Each error or warning is
/// logged once per change.
class project_watcher {
 public:
  project_watcher(std::filesystem::path folder, std::chrono::seconds interval);
  ~project_watcher();
  project_watcher(project_watcher const&) = delete;
  project_watcher& operator=(project_watcher const&) = delete;

  std::shared_ptr<const config::project_snapshot> snapshot() const;
  std::size_t broken_files() const;
  /// Reads the folder now; the thread calls it too.
  void reload();

 private:
  void run();

  std::filesystem::path folder_;
  std::chrono::seconds interval_;
  std::mutex reload_mutex_;  // guards set_ and logged_
  config::project_set set_;
  std::vector<std::string> logged_;
  mutable std::mutex mutex_;  // guards what follows
  std::shared_ptr<const config::project_snapshot> snapshot_;
  std::size_t broken_ = 0;
  bool stop_ = false;
  std::condition_variable wake_;
  std::thread thread_;
};

}  // namespace profile_relay::server
