#include "server/io/project_folder.hpp"

#include <algorithm>
#include <system_error>
#include <utility>

#include "server/io/regular_file.hpp"

namespace profile_relay::server {

namespace fs = std::filesystem;

namespace {

// A folder that never rests must not keep its projects from being read.
constexpr int attempts = 3;

struct attempt {
  project_folder result;
  std::vector<std::pair<fs::path, file_version>> seen;

  bool still_true() const {
    return std::ranges::all_of(seen, [](auto const& s) { return version_of(s.first) == s.second; });
  }
};

attempt read_once(fs::path const& folder) {
  attempt a;
  a.seen.emplace_back(folder, version_of(folder));
  std::error_code ec;
  for (auto it = fs::directory_iterator(folder, ec); !ec && it != fs::directory_iterator();
       it.increment(ec)) {
    auto const& path = it->path();
    auto name = path.filename().string();
    if (path.extension() != ".json" || name.starts_with('.')) continue;
    auto reading = read_regular_file(path, max_project_file_bytes);
    a.seen.emplace_back(path, reading.version);
    a.result.files.push_back({std::move(name), std::move(reading.text), std::move(reading.problem)});
  }
  if (ec) {
    a.result.problem = ec.message();
    a.result.missing = ec == std::errc::no_such_file_or_directory;
  }
  return a;
}

}  // namespace

project_folder read_project_folder(fs::path const& folder) {
  for (int left = attempts;; --left) {
    auto a = read_once(folder);
    if (left == 1 || a.still_true()) return std::move(a.result);
  }
}

}  // namespace profile_relay::server
