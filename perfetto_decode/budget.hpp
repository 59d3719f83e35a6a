#pragma once

#include <cstddef>
#include <limits>
#include <map>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include "perfetto_decode/error.hpp"

namespace profile_relay::perfetto_decode {

/// Thrown inside the library when a budget refuses; `decode` turns it into an error value.
struct budget_refused {
  errc code;
};

/// A budget in bytes, charged before the memory is taken. Once refused it stays refused. `code` is what a refusal means.
class memory_budget {
 public:
  explicit memory_budget(std::size_t max, errc code = errc::working_memory) : max_(max), code_(code) {}
  memory_budget(memory_budget const&) = delete;
  memory_budget& operator=(memory_budget const&) = delete;

  [[nodiscard]] bool charge(std::size_t n) {
    if (exceeded_ || n > max_ - used_) {
      exceeded_ = true;
      return false;
    }
    used_ += n;
    return true;
  }
  /// Charges or throws budget_refused.
  void take(std::size_t n) {
    if (!charge(n)) throw budget_refused{code_};
  }
  void refund(std::size_t n) { used_ -= n < used_ ? n : used_; }
  bool exceeded() const { return exceeded_; }
  std::size_t used() const { return used_; }
  std::size_t max() const { return max_; }

 private:
  std::size_t max_;
  errc code_;
  std::size_t used_ = 0;
  bool exceeded_ = false;
};

/// Takes a budget's bytes for every allocation of a container, and gives them back: so the growth of tables is charged to
/// the byte, old and new block together while it lasts. Without a budget it allocates freely (results made by hand).
template <class T>
class budget_allocator {
 public:
  using value_type = T;
  using propagate_on_container_copy_assignment = std::true_type;
  using propagate_on_container_move_assignment = std::true_type;
  using propagate_on_container_swap = std::true_type;
  static constexpr std::size_t block_overhead = 16;  ///< what malloc keeps beside a block, rounding included

  budget_allocator() = default;
  budget_allocator(memory_budget& budget) : budget_(&budget) {}
  template <class U>
  budget_allocator(budget_allocator<U> const& other) : budget_(other.budget()) {}

  T* allocate(std::size_t n) {
    if (n > (std::numeric_limits<std::size_t>::max() - block_overhead) / sizeof(T)) throw std::bad_alloc();
    if (budget_ != nullptr) budget_->take(n * sizeof(T) + block_overhead);
    return std::allocator<T>().allocate(n);
  }
  void deallocate(T* p, std::size_t n) {
    std::allocator<T>().deallocate(p, n);
    if (budget_ != nullptr) budget_->refund(n * sizeof(T) + block_overhead);
  }
  memory_budget* budget() const { return budget_; }

  template <class U>
  bool operator==(budget_allocator<U> const& other) const {
    return budget_ == other.budget();
  }

 private:
  memory_budget* budget_ = nullptr;
};

template <class T>
using budget_vector = std::vector<T, budget_allocator<T>>;

template <class Key, class T, class Compare = std::less<Key>>
using budget_map = std::map<Key, T, Compare, budget_allocator<std::pair<Key const, T>>>;

}  // namespace profile_relay::perfetto_decode
