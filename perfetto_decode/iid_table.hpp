#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

#include "perfetto_decode/budget.hpp"

namespace profile_relay::perfetto_decode {

/// Interning id -> entry. Producers count iids up from 1, so small ones index an array; what does not fit
/// that pattern goes to a tree, so that no choice of ids makes a look-up worse than O(log n). Growth is
/// charged before it happens. Entries are value-initialised; their meaning of "empty" is theirs.
template <class Entry>
class iid_table {
 public:
  explicit iid_table(memory_budget& budget) : dense_(budget), sparse_(budget) {}
  iid_table(iid_table const&) = delete;
  iid_table& operator=(iid_table const&) = delete;

  Entry* find(std::uint64_t iid) {
    if (iid < dense_.size()) return &dense_[static_cast<std::size_t>(iid)];
    if (sparse_.empty()) return nullptr;
    auto it = sparse_.find(iid);
    return it == sparse_.end() ? nullptr : &it->second;
  }

  /// The small ids, for loops over many.
  std::span<Entry> dense() { return dense_; }

  /// The entry of `iid`, made if need be.
  Entry* obtain(std::uint64_t iid) {
    ++calls_;
    if (iid < dense_.size()) return &dense_[static_cast<std::size_t>(iid)];
    return obtain_beyond(iid);
  }

 private:
  [[gnu::noinline]] Entry* obtain_beyond(std::uint64_t iid) {
    if (!sparse_.empty()) {
      auto it = sparse_.find(iid);
      if (it != sparse_.end()) return &it->second;
    }
    // Dense enough: not far beyond the array, and the array not far larger than what was asked for so far.
    bool const dense =
        iid < dense_.size() + dense_.size() / 2 + 64 && iid < std::max<std::uint64_t>(4096, 8 * calls_);
    if (!dense) return &sparse_[iid];
    grow(static_cast<std::size_t>(iid));
    return &dense_[static_cast<std::size_t>(iid)];
  }

  void grow(std::size_t iid) {
    std::size_t const old_size = dense_.size();
    std::size_t const size = std::max<std::size_t>({iid + 1, old_size + old_size / 2, 8});
    dense_.reserve(size);
    dense_.resize(size);
    // Entries that came before the array reached them must stay findable where look-ups go first.
    for (auto it = sparse_.lower_bound(old_size); it != sparse_.end() && it->first < size;) {
      dense_[static_cast<std::size_t>(it->first)] = it->second;
      it = sparse_.erase(it);
    }
  }

  budget_vector<Entry> dense_;
  budget_map<std::uint64_t, Entry> sparse_;
  std::size_t calls_ = 0;
};

}  // namespace profile_relay::perfetto_decode
