#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <random>
#include <string>
#include <vector>

namespace profile_relay::server {

/// The file system under SQLite while it lives: passes everything on to the real one, and fails, forgets and counts on
/// the way. Syncs are believed, not made: what would be on the disk after a power cut is kept in memory.
class disk_shim {
 public:
  disk_shim();
  ~disk_shim();
  disk_shim(disk_shim const&) = delete;
  disk_shim& operator=(disk_shim const&) = delete;

  /// The calls number `first` and the `more` after it, counted from now, fail: writes, syncs, truncations, openings,
  /// deletions. A write fails with `code` (SQLITE_FULL, SQLITE_IOERR_WRITE), the others with their own error.
  void fail(std::uint64_t first, std::uint64_t more, int code);
  void heal();
  bool has_failed() const;

  /// Syncs of files whose names end in "-wal", since the start.
  std::uint64_t log_syncs() const;
  /// Called in the middle of each of those, without a lock.
  std::function<void()> on_log_sync;

  /// For all files: what was synced, and of the writes after that each by chance, the last one perhaps torn. Call it
  /// when SQLite has nothing open any more.
  void cut_power(std::mt19937& chance);

 private:
  struct change {
    std::int64_t at;         // of a write
    std::string data;        // of a write
    std::int64_t size = -1;  // of a truncation
  };
  struct disk_file {
    std::string synced;
    std::vector<change> since;
  };
  struct file;
  friend struct shim_calls;

  bool next_fails();
  static void apply(std::string& content, change const& c);

  sqlite3_vfs* real_;
  sqlite3_vfs own_;
  mutable std::mutex mutex_;
  std::map<std::string, disk_file> disk_;
  std::uint64_t calls_ = 0, fail_first_ = 0, fail_last_ = 0, log_syncs_ = 0;
  int code_ = SQLITE_FULL;
  bool has_failed_ = false;
};

}  // namespace profile_relay::server
