#pragma once

#include <filesystem>

#include "server/io/delivery_error.hpp"

namespace profile_relay::server {

/// The exclusive lock between two servers: an open-file lock on `<dir>/lock`, which names the holder's process.
/// Ends with the process, whatever kills it. Commands (`spool ls`, `export`, `rm`, `retry`) do not take it; they ask.
class spool_lock {
 public:
  /// Makes the folder (mode 0700) if it is missing.
  static start_result<spool_lock> take(std::filesystem::path const& dir);
  /// True while a server holds the lock of this folder.
  static bool held(std::filesystem::path const& dir);
  spool_lock(spool_lock&& o) noexcept;
  spool_lock& operator=(spool_lock&&) = delete;
  ~spool_lock();

  /// The last holder did not give the lock back: it was killed, or the machine stopped.
  bool found_unclean() const { return found_unclean_; }

 private:
  spool_lock(int fd, bool unclean) : fd_(fd), found_unclean_(unclean) {}
  int fd_;
  bool found_unclean_;
};

/// fsync of a folder: without it a power cut may forget names of files that are synced themselves.
void sync_folder(std::filesystem::path const& dir);

}  // namespace profile_relay::server
