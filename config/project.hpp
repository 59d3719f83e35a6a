#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "config/error.hpp"
#include "config/ip_networks.hpp"

namespace profile_relay::config {

struct public_key {
  std::string key;  ///< 32 lowercase hex digits
  std::optional<std::uint64_t> numeric_id;
  bool enabled = true;
};

enum class quota_scope : std::uint8_t { organization, project, key, most_specific };

/// One entry of config.quotas (contract 6). Enforcement belongs to the server's rate limiter.
struct quota {
  std::string id;
  std::vector<std::string> categories;  ///< empty = all
  quota_scope scope = quota_scope::organization;
  std::optional<std::uint64_t> scope_id;
  std::optional<std::uint64_t> limit;  ///< absent = count only
  std::optional<std::uint64_t> window;
  std::string reason_code;
};

/// A project file (contract 10).
struct project {
  std::uint64_t id = 0;
  std::uint64_t organization_id = 0;  ///< 0 = unknown
  std::string slug;
  bool disabled = false;
  std::vector<public_key> keys;
  std::vector<std::string> allowed_domains{"*"};
  std::uint16_t retention_days = 90;
  bool continuous_profiling = false;           ///< organizations:continuous-profiling
  bool continuous_profiling_perfetto = false;  ///< organizations:continuous-profiling-perfetto
  std::vector<quota> quotas;
  ip_networks blocked_ips;  ///< filterSettings.clientIps.blacklistedIps: their chunks are dropped
};

struct parsed_project {
  project value;
  std::vector<std::string> warnings;
};

/// Parses `projects/<ID>.json`; the file name gives the id when `projectId` is missing. Errors name file,
/// line and key; `not_a_project_file` (the name is no number) means: skip it with a warning, it is not a
/// broken project. Public keys that are not 32 hex digits and invalid quotas are left out with a warning.
/// Unknown keys are ignored.
result<parsed_project> parse_project(std::string_view file_name, std::string_view text);

/// An immutable set of projects, swapped whole on reload.
class project_snapshot {
 public:
  struct key_ref {
    std::shared_ptr<const project> owner;
    public_key const* key = nullptr;  ///< points into `owner`
  };

  project_snapshot() = default;
  /// Projects in file-name order: of two files with the same key (or id), the first wins and `warnings` says
  /// so.
  static project_snapshot build(std::vector<std::pair<std::string, std::shared_ptr<const project>>> files,
                                std::vector<std::string>& warnings);

  /// `public_key_hex` in lowercase, as the authentication code gives it.
  std::optional<key_ref> find_key(std::string_view public_key_hex) const;
  std::shared_ptr<const project> find_project(std::uint64_t id) const;
  std::size_t size() const { return projects_.size(); }

 private:
  /// Lets a view look a key up without a copy: it happens once for each request.
  struct text_hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };

  std::map<std::uint64_t, std::shared_ptr<const project>> projects_;
  std::unordered_map<std::string, key_ref, text_hash, std::equal_to<>> keys_;
};

/// What a reload found in the folder. The server reads the files; this decides.
struct project_file {
  std::string name;                 ///< "42.json"
  std::optional<std::string> text;  ///< absent = unreadable
  std::string problem = {};         ///< why there is no text
};

/// Keeps the last good version of each file: a broken file changes nothing but is reported (contract 10).
class project_set {
 public:
  struct reload_report {
    std::vector<std::string> errors;  ///< one line each, with file and position
    std::vector<std::string> warnings;
    std::size_t broken_files = 0;  ///< files whose current content is not in force
    bool changed = false;          ///< the snapshot differs from the last one
  };
  /// `files` = all that lies in the folder now. Unchanged text is not parsed again and its errors and
  /// warnings are not repeated (`broken_files` still counts it). A removed file removes its project. Of two
  /// files with one key or id the first in name order wins; the other is an error line.
  reload_report reload(std::vector<project_file> files);
  std::shared_ptr<const project_snapshot> snapshot() const { return snapshot_; }

 private:
  struct entry {
    std::optional<std::string> text;  ///< as last seen; absent = unreadable
    std::string problem;
    std::shared_ptr<const project> good;
    bool broken = false;  ///< the current text is not in force
  };
  static bool read(entry& e, project_file& file, reload_report& report);

  std::map<std::string, entry> entries_;
  std::shared_ptr<const project_snapshot> snapshot_ = std::make_shared<project_snapshot>();
};

}  // namespace profile_relay::config
