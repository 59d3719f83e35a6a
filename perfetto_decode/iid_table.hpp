#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <vector>

#include "perfetto_decode/budget.hpp"

namespace profile_relay::perfetto_decode {

/// Interning id -> entry. Producers count iids up from 1, so small ones index an array; what does not fit
/// that pattern goes to a tree, so that no choice of ids makes a look-up worse than O(log n). Growth is
/// charged before it happens. Entries are value-initialised; their meaning of "empty" is theirs.
template <class Entry>
class iid_table {
 public:
  static constexpr std::size_t node_cost = sizeof(Entry) + 64;

  explicit iid_table(memory_budget& budget) : budget_(&budget) {}
  iid_table(iid_table const&) = delete;
  iid_table& operator=(iid_table const&) = delete;
  ~iid_table() { budget_->refund(dense_.capacity() * sizeof(Entry) + sparse_.size() * node_cost); }

  Entry* find(std::uint64_t iid) {
    if (iid < dense_.size()) return &dense_[static_cast<std::size_t>(iid)];
    if (sparse_.empty()) return nullptr;
    auto it = sparse_.find(iid);
    return it == sparse_.end() ? nullptr : &it->second;
  }

  /// The entry of `iid`, made if need be; nullptr when the budget refuses.
  Entry* obtain(std::uint64_t iid) {
    if (iid < dense_.size()) return &dense_[static_cast<std::size_t>(iid)];
    if (!sparse_.empty()) {
      auto it = sparse_.find(iid);
      if (it != sparse_.end()) return &it->second;
    }
    ++count_;
    if (iid < std::max<std::uint64_t>(32, 3 * count_))
      return grow(iid) ? &dense_[static_cast<std::size_t>(iid)] : nullptr;
    if (!budget_->charge(node_cost)) return nullptr;
    return &sparse_[iid];
  }

 private:
  bool grow(std::uint64_t iid) {
    std::size_t const old_capacity = dense_.capacity();
    std::size_t const size =
        std::max<std::size_t>({static_cast<std::size_t>(iid) + 1, old_capacity + old_capacity / 2, 8});
    if (size > old_capacity) {
      if (!budget_->charge(size * sizeof(Entry))) return false;
      dense_.reserve(size);
      budget_->refund(old_capacity * sizeof(Entry));
    }
    std::size_t const old_size = dense_.size();
    dense_.resize(size);
    // Entries that came before the array reached them must stay findable where look-ups go first.
    for (auto it = sparse_.lower_bound(old_size); it != sparse_.end() && it->first < size;) {
      dense_[static_cast<std::size_t>(it->first)] = it->second;
      it = sparse_.erase(it);
      budget_->refund(node_cost);
    }
    return true;
  }

  memory_budget* budget_;
  std::vector<Entry> dense_;
  std::map<std::uint64_t, Entry> sparse_;
  std::size_t count_ = 0;
};

}  // namespace profile_relay::perfetto_decode
