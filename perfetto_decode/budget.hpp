#pragma once

#include <cstddef>

namespace profile_relay::perfetto_decode {

/// A budget in bytes, charged before the memory is taken. Once refused it stays refused, so that a caller may
/// check late without having spent more.
class memory_budget {
 public:
  explicit memory_budget(std::size_t max) : max_(max) {}

  [[nodiscard]] bool charge(std::size_t n) {
    if (exceeded_ || n > max_ - used_) {
      exceeded_ = true;
      return false;
    }
    used_ += n;
    return true;
  }
  void refund(std::size_t n) { used_ -= n < used_ ? n : used_; }
  bool exceeded() const { return exceeded_; }
  std::size_t used() const { return used_; }
  std::size_t max() const { return max_; }

 private:
  std::size_t max_;
  std::size_t used_ = 0;
  bool exceeded_ = false;
};

}  // namespace profile_relay::perfetto_decode
