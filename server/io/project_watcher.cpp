#include "server/io/project_watcher.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>

#include "server/io/logging.hpp"

namespace profile_relay::server {

namespace fs = std::filesystem;

std::vector<config::project_file> read_project_files(fs::path const& folder) {
  std::vector<config::project_file> out;
  std::error_code ec;
  for (auto it = fs::directory_iterator(folder, ec); !ec && it != fs::directory_iterator();
       it.increment(ec)) {
    auto const& path = it->path();
    auto name = path.filename().string();
    std::error_code type_error;
    // Hidden files are editors' and Kubernetes' own ("..data"); a dangling symlink reads as unreadable below.
    if (path.extension() != ".json" || name.starts_with('.')) continue;
    if (fs::is_directory(path, type_error)) continue;
    config::project_file file{std::move(name), std::nullopt};
    if (std::ifstream in(path, std::ios::binary); in) {
      std::string text{std::istreambuf_iterator<char>(in), {}};
      if (!in.bad()) file.text = std::move(text);
    }
    out.push_back(std::move(file));
  }
  return out;
}

project_watcher::project_watcher(fs::path folder, std::chrono::seconds interval)
    : folder_(std::move(folder)), interval_(interval) {
  reload();
  thread_ = std::thread([this] { run(); });
}

project_watcher::~project_watcher() {
  {
    std::scoped_lock lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  thread_.join();
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
  std::scoped_lock reload_lock(reload_mutex_);
  auto const report = set_.reload(read_project_files(folder_));
  std::vector<std::string> lines;
  for (auto const& [level, list] :
       {std::pair{log_level::error, &report.errors}, {log_level::warn, &report.warnings}}) {
    for (auto const& line : *list) {
      if (std::ranges::find(logged_, line) == logged_.end()) log(level, line);
      lines.push_back(line);
    }
  }
  logged_ = std::move(lines);
  auto fresh = set_.snapshot();
  std::scoped_lock lock(mutex_);
  // The first reload is not news: the line "ready" tells the count.
  if (report.changed && snapshot_)
    log(log_level::info, "projects reloaded", {{"projects", std::to_string(fresh->size())}});
  snapshot_ = std::move(fresh);
  broken_ = report.broken_files;
}

void project_watcher::run() {
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, interval_, [this] { return stop_; })) {
    lock.unlock();
    try {
      reload();
    } catch (std::exception const& e) {
      log(log_level::error, "the projects could not be reloaded", {{"cause", e.what()}});
    }
    lock.lock();
  }
}

}  // namespace profile_relay::server
