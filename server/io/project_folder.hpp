#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "config/project.hpp"

namespace profile_relay::server {

/// Far above any project, and little enough to read every `cache.file_interval`.
inline constexpr std::size_t max_project_file_bytes = 4u << 20;

struct project_folder {
  std::vector<config::project_file> files;
  std::string problem;   ///< why the folder could not be listed to its end; empty = it could
  bool missing = false;  ///< the problem is that there is no such folder
};

/// All in a folder that ends in ".json", with its text or the reason why there is none. Hidden files are left
/// out: they belong to editors and to Kubernetes ("..data").
///
/// The files are of one moment where that can be had: what changes while it is read is read again, so a
/// ConfigMap's swap is seen as a whole and a file that is being written is seldom seen half.
project_folder read_project_folder(std::filesystem::path const& folder);

}  // namespace profile_relay::server
