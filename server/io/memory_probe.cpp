#include "server/io/memory_probe.hpp"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <string>
#include <string_view>

namespace profile_relay::server {

namespace {

namespace fs = std::filesystem;

std::optional<std::uint64_t> to_number(std::string_view text) {
  std::uint64_t value = 0;
  auto const [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (ec != std::errc{} || end == text.data()) return std::nullopt;
  return value;
}

std::optional<std::uint64_t> read_number(fs::path const& file) {
  std::ifstream in(file);
  std::string text;
  if (!(in >> text)) return std::nullopt;
  return to_number(text);  // "max" is no number: no limit here
}

/// The value after `key` in a file of lines "key value" (memory.stat) or "Key: value kB" (meminfo).
std::optional<std::uint64_t> read_field(fs::path const& file, std::string_view key) {
  std::ifstream in(file);
  std::string name, value, rest;
  while (in >> name >> value) {
    std::getline(in, rest);
    if (name == key) return to_number(value);
  }
  return std::nullopt;
}

/// The path of our cgroup: the line "0::/path" (v2), or the one whose controllers include `memory` (v1).
std::optional<std::string> cgroup_path(fs::path const& root, bool v2) {
  std::ifstream in(root / "proc/self/cgroup");
  std::string line;
  while (std::getline(in, line)) {
    auto const first = line.find(':');
    auto const second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    auto const controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    bool const ours = v2 ? line.starts_with("0::") : controllers.find(",memory,") != std::string::npos;
    if (ours) return line.substr(second + 1);
  }
  return std::nullopt;
}

struct cgroup_files {
  fs::path mount;
  bool v2;
  char const *usage, *limit, *droppable;
};

/// The tightest limit of our group and its ancestors, with the usage of the group that sets it.
std::optional<memory_reading> read_cgroup(fs::path const& root, cgroup_files const& f) {
  auto const path = cgroup_path(root, f.v2);
  if (!path) return std::nullopt;
  std::optional<memory_reading> tightest;
  auto const base = root / f.mount;
  auto dir = (base / fs::path(*path).relative_path()).lexically_normal();
  // Inside a container the path may name a place outside of our view: then the mount's top is our group.
  std::error_code ec;
  if (!fs::exists(dir / f.usage, ec)) dir = base;
  auto const top = base.lexically_normal();
  for (;; dir = dir.parent_path()) {
    auto const limit = read_number(dir / f.limit);
    auto const usage = read_number(dir / f.usage);
    if (limit && usage && (!tightest || *limit < tightest->limit)) {
      auto const cache = read_field(dir / "memory.stat", f.droppable).value_or(0);
      tightest = memory_reading{*usage - std::min(*usage, cache), *limit};
    }
    auto const text = dir.string();
    if (dir == top || text.size() <= top.string().size()) break;
  }
  return tightest;
}

std::optional<memory_reading> read_host(fs::path const& root) {
  auto const total = read_field(root / "proc/meminfo", "MemTotal:");
  auto const available = read_field(root / "proc/meminfo", "MemAvailable:");
  if (!total || !available) return std::nullopt;
  return memory_reading{(*total - std::min(*total, *available)) * 1024, *total * 1024};
}

}  // namespace

std::optional<memory_reading> read_memory(fs::path const& root) {
  auto const host = read_host(root);
  auto group = read_cgroup(root, {"sys/fs/cgroup", true, "memory.current", "memory.max", "inactive_file"});
  if (!group) {
    group = read_cgroup(root, {"sys/fs/cgroup/memory", false, "memory.usage_in_bytes",
                               "memory.limit_in_bytes", "total_inactive_file"});
  }
  // v1 writes "no limit" as a number far above any memory.
  if (group && host && group->limit > host->limit) group.reset();
  return group ? group : host;
}

void memory_probe::configure(std::chrono::milliseconds refresh, std::chrono::milliseconds timeout) {
  std::scoped_lock lock(mutex_);
  refresh_ = refresh;
  timeout_ = timeout;
  next_ = {};
}

std::uint64_t resident_bytes() {
  std::ifstream in("/proc/self/statm");
  std::uint64_t pages = 0, resident = 0;
  if (!(in >> pages >> resident)) return 0;
  return resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

std::optional<memory_reading> memory_probe::latest() {
  std::scoped_lock lock(mutex_);
  auto const start = std::chrono::steady_clock::now();
  if (start < next_) return last_;
  last_ = read_memory();
  auto const took = std::chrono::steady_clock::now() - start;
  if (took > timeout_) last_.reset();
  next_ = start + refresh_;
  return last_;
}

}  // namespace profile_relay::server
