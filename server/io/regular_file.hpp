#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace profile_relay::server {

/// What tells two versions of a file apart without reading them. All zero = there is none.
struct file_version {
  std::uint64_t device = 0, inode = 0, size = 0;
  std::int64_t changed_ns = 0;  ///< the kernel's ctime: no writer can set it back
  bool operator==(file_version const&) const = default;
};
/// Of what a path leads to, through symlinks.
file_version version_of(std::filesystem::path const& path);

struct file_reading {
  std::optional<std::string> text;
  std::string problem;  ///< why there is no text
  file_version version;
};

/// Reads a regular file, or a symlink to one, of at most `max_bytes`. Refuses everything else without waiting
/// for it: opening a FIFO waits for a writer, and a device may never end.
file_reading read_regular_file(std::filesystem::path const& path, std::size_t max_bytes);

}  // namespace profile_relay::server
