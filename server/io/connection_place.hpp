#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

namespace profile_relay::server {

/// The place of one open connection among all that are counted. Move-only; gives itself back at its end. The count must
/// outlive it.
class connection_place {
 public:
  /// Absent when `most` are taken already. Loops of several threads may ask at once: no more than `most` get one.
  static std::optional<connection_place> take(std::atomic<std::size_t>& count,
                                              std::optional<std::uint32_t> most) {
    auto taken = count.load();
    do
      if (most && taken >= *most) return std::nullopt;
    while (!count.compare_exchange_weak(taken, taken + 1));
    return connection_place(count);
  }
  connection_place(connection_place&& o) noexcept : count_(std::exchange(o.count_, nullptr)) {}
  connection_place& operator=(connection_place&& o) noexcept {
    std::swap(count_, o.count_);
    return *this;
  }
  ~connection_place() {
    if (count_ != nullptr) --*count_;
  }

 private:
  explicit connection_place(std::atomic<std::size_t>& count) : count_(&count) {}
  std::atomic<std::size_t>* count_;
};

}  // namespace profile_relay::server
