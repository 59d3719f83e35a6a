// How long handlers took, in constant memory.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace profile_relay::sdk {

/// Counts durations in buckets an eighth of a power of two wide, so a quantile is at most 12.5 % above the true one.
class duration_histogram {
 public:
  void add(std::uint32_t ns);
  /// Upper end, in ns, of the bucket that holds this part (0 to 1) of all durations; 0 when there are none.
  [[nodiscard]] std::uint64_t quantile(double part) const;
  [[nodiscard]] std::uint64_t count() const { return count_; }
  [[nodiscard]] std::uint64_t total_ns() const { return total_; }

 private:
  std::array<std::uint64_t, 8 * 32> buckets_{};
  std::uint64_t count_ = 0, total_ = 0;
};

}  // namespace profile_relay::sdk
