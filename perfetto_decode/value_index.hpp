#pragma once

#include <cstdint>

#include "perfetto_decode/budget.hpp"

namespace profile_relay::perfetto_decode {

/// Finds values by content, where the values themselves stand in an array elsewhere: open addressing over (hash, index).
/// One probe both finds and adds; growing needs no value's hash again; every byte is charged. Expected O(1) with hashes
/// that an attacker cannot predict (hash.hpp).
class value_index {
 public:
  static constexpr std::uint32_t absent = 0xffff'ffff;

  explicit value_index(memory_budget& budget) : slots_(budget) {}

  /// The index of an equal value; or `absent`, and then `fresh` is from now on the index of this value.
  /// equal(i) compares the value at i with the one looked for.
  template <class Equal>
  std::uint32_t find_or_add(std::uint64_t hash, std::uint32_t fresh, Equal&& equal) {
    if (2 * size_ >= slots_.size()) grow();
    auto const mask = slots_.size() - 1;
    auto const tag = static_cast<std::uint32_t>(hash ^ (hash >> 32));
    for (std::size_t at = tag & mask;; at = (at + 1) & mask) {
      auto& s = slots_[at];
      if (s.index == absent) {
        s = {tag, fresh};
        ++size_;
        return absent;
      }
      if (s.tag == tag && equal(s.index)) return s.index;
    }
  }

 private:
  struct slot {
    std::uint32_t tag = 0;
    std::uint32_t index = absent;
  };

  void grow() {
    budget_vector<slot> larger(slots_.empty() ? 64 : 2 * slots_.size(), slot{}, slots_.get_allocator());
    auto const mask = larger.size() - 1;
    for (auto const& s : slots_) {
      if (s.index == absent) continue;
      std::size_t at = s.tag & mask;
      while (larger[at].index != absent) at = (at + 1) & mask;
      larger[at] = s;
    }
    slots_ = std::move(larger);
  }

  budget_vector<slot> slots_;
  std::size_t size_ = 0;
};

}  // namespace profile_relay::perfetto_decode
