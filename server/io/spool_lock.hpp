#pragma once

#include <filesystem>

#include "server/io/delivery_error.hpp"

namespace profile_relay::server {

/// The exclusive lock between two servers: flock on `<dir>/lock`, which names the holder's process. Ends with
/// the process, whatever kills it. Readers (`spool ls`, `spool export`) do not take it.
class spool_lock {
 public:
  /// Makes the folder (mode 0700) if it is missing.
  static start_result<spool_lock> take(std::filesystem::path const& dir);
  spool_lock(spool_lock&& o) noexcept;
  spool_lock& operator=(spool_lock&&) = delete;
  ~spool_lock();

 private:
  explicit spool_lock(int fd) : fd_(fd) {}
  int fd_;
};

}  // namespace profile_relay::server
