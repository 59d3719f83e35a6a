// The seam between the client and what sends its chunks.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace profile_relay::sdk {

/// One finished chunk; ids are 32 lower-case hex digits.
struct profile_chunk {
  std::string profiler_id;
  std::string chunk_id;
  std::string release;
  std::string environment;
  /// A complete Perfetto trace.
  std::string trace;
};

/// What the transport tells the client; called on the transport's thread, never under a lock of the client's.
struct transport_events {
  /// The server limits profile chunks from now for this long: the profiler stops (profiling API, 5).
  std::function<void(std::chrono::milliseconds)> rate_limited;
  /// 413: make chunks half as long from now on.
  std::function<void()> too_large;
  /// One line for the log.
  std::function<void(const std::string&)> warn;
};

/// Counted for the log and the tests.
struct transport_counts {
  std::uint64_t sent = 0;
  std::uint64_t discarded =
      0;  ///< answered with something that forbids a retry, or not sent: a rate limit holds
  std::uint64_t dropped =
      0;  ///< by the queue's bound, by too many attempts, or still pending at close's deadline
  std::uint64_t retries = 0;
};

class transport {
 public:
  virtual ~transport() = default;
  /// Takes the chunk at once and never blocks; the queue's bound in bytes drops the oldest.
  virtual void send(profile_chunk chunk) = 0;
  /// Time left of a rate limit; zero when there is none.
  [[nodiscard]] virtual std::chrono::milliseconds limited_for() const = 0;
  [[nodiscard]] virtual transport_counts counts() const = 0;
  /// Sends what is pending until the deadline, then ends. Nothing can be sent afterwards.
  virtual void close(std::chrono::milliseconds deadline) = 0;
};

}  // namespace profile_relay::sdk
