#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace profile_relay::server {

/// One counter of a quota in its current window.
struct quota_counter {
  std::string key;          ///< names quota, window length and scope instance; counts of equal keys are one
  std::uint64_t slot = 0;   ///< number of the window: Unix seconds divided by its length
  std::uint64_t end_s = 0;  ///< Unix seconds at which the window ends
  std::optional<std::uint64_t> limit;  ///< absent = count only, never full
};

/// Where the counts of quotas live: in this process, or one day in a store that instances share. Thread-safe.
class rate_counters {
 public:
  enum class act : std::uint8_t { look, count };

  virtual ~rate_counters() = default;
  /// For each counter, whether it is full, so that one more must be refused. `count` also adds one to every
  /// counter if none is full, and to none otherwise: a refused chunk uses up nothing, as in Relay. A counter
  /// that cannot be kept is not full: chunks pass rather than being refused for our trouble.
  virtual std::vector<bool> check(std::span<const quota_counter> counters, std::uint64_t now_s, act what) = 0;

  struct statistics {
    std::uint64_t counters = 0;   ///< kept now
    std::uint64_t bytes = 0;      ///< of memory, estimated
    std::uint64_t uncounted = 0;  ///< counts given up since the start, because the table was full
  };
  virtual statistics stats() const = 0;
};

/// Counters of this process, lost at its end. Bounded: ended windows are dropped when a new counter comes,
/// and beyond `max_bytes` a new counter is not kept, which `statistics::uncounted` tells. Their number
/// follows from the project files (quotas times keys), not from what clients send.
class local_rate_counters final : public rate_counters {
 public:
  explicit local_rate_counters(std::size_t max_bytes = std::size_t{16} << 20) : max_bytes_(max_bytes) {}
  std::vector<bool> check(std::span<const quota_counter> counters, std::uint64_t now_s, act what) override;
  statistics stats() const override;

 private:
  struct window {
    std::uint64_t slot = 0, end_s = 0, count = 0;
    std::uint64_t counted_by = 0;  ///< the last call that counted here
  };

  static std::uint64_t bytes_of(std::string const& key);
  window* find(quota_counter const& c);
  window* find_or_add(quota_counter const& c, std::uint64_t now_s);
  void drop_ended(std::uint64_t now_s);

  mutable std::mutex mutex_;
  std::unordered_map<std::string, window> windows_;
  std::size_t max_bytes_;
  std::uint64_t bytes_ = 0, uncounted_ = 0, calls_ = 0;
  std::uint64_t next_end_s_ = 0;  ///< no window of the table ends before
};

}  // namespace profile_relay::server
