#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <optional>

#include "server/core/readiness.hpp"

namespace profile_relay::server {

/// Memory as the kernel counts it against us: cgroup v2, else v1, else the host (contract 8, 12: the cgroup's
/// limit, not the host's). Page cache that the kernel may drop does not count as used. Absent = nothing could
/// be read. `root` is "/" except in tests.
std::optional<memory_reading> read_memory(std::filesystem::path const& root = "/");

/// Resident memory of this process in bytes, 0 if it cannot be read.
std::uint64_t resident_bytes();

/// Reads the memory at most once per `refresh`, whoever asks. Thread-safe.
class memory_probe {
 public:
  memory_probe(std::chrono::milliseconds refresh, std::chrono::milliseconds timeout)
      : refresh_(refresh), timeout_(timeout) {}
  /// Absent when the probe failed or took longer than its timeout.
  std::optional<memory_reading> latest();
  /// Takes effect with the next reading, which is due now.
  void configure(std::chrono::milliseconds refresh, std::chrono::milliseconds timeout);

 private:
  std::mutex mutex_;
  std::chrono::milliseconds refresh_, timeout_;
  std::optional<memory_reading> last_;
  std::chrono::steady_clock::time_point next_{};
};

}  // namespace profile_relay::server
