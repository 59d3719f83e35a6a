#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

#include "perfetto_decode/hash.hpp"
#include "perfetto_decode/value_index.hpp"

namespace profile_relay::perfetto_decode {

/// Names of mappings by the list of their path components, so that a thousand mappings of one path cost one join.
class path_memo {
 public:
  struct entry {
    std::uint32_t first = 0, count = 0;
    std::uint32_t name = 0;     ///< in the string table
    bool truncated = false;     ///< a component is not interned
    bool invalid_utf8 = false;  ///< a component is not UTF-8
  };

  explicit path_memo(memory_budget& working)
      : iids_(working), entries_(working), index_(working), seed_(seed_of(this)) {}

  /// The entry of this list; `fresh` says that it has still to be filled.
  entry& obtain(std::span<const std::uint64_t> iids, bool& fresh) {
    std::uint64_t h = seed_.b ^ iids.size();
    for (auto const iid : iids) h = fold(h ^ iid, seed_.a) + seed_.b;
    auto const next = static_cast<std::uint32_t>(entries_.size());
    auto const known = index_.find_or_add(h, next, [&](std::uint32_t i) {
      return std::equal(iids.begin(), iids.end(), iids_.begin() + entries_[i].first,
                        iids_.begin() + entries_[i].first + entries_[i].count);
    });
    fresh = known == value_index::absent;
    if (!fresh) return entries_[known];
    entries_.push_back(
        {static_cast<std::uint32_t>(iids_.size()), static_cast<std::uint32_t>(iids.size()), 0, false, false});
    iids_.insert(iids_.end(), iids.begin(), iids.end());
    return entries_.back();
  }

 private:
  budget_vector<std::uint64_t> iids_;
  budget_vector<entry> entries_;
  value_index index_;
  hash_seed seed_;
};

}  // namespace profile_relay::perfetto_decode
