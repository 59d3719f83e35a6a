#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "perfetto_decode/arena.hpp"
#include "perfetto_decode/hash.hpp"
#include "perfetto_decode/value_index.hpp"

namespace profile_relay::perfetto_decode {

/// Distinct strings of the result, by content. Id 0 is the empty string. Strings whose source goes away are
/// copied. Complexity: O(length) expected for each look-up.
class string_table {
 public:
  string_table(memory_budget& result, arena& keep)
      : keep_(&keep), views_(result), known_(result), seed_(seed_of(this)) {
    (void)intern({}, false);
  }
  string_table(string_table const&) = delete;
  string_table& operator=(string_table const&) = delete;

  /// The id of `s`, which is kept as a view unless `copy`.
  std::uint32_t intern(std::string_view s, bool copy) {
    auto const fresh = static_cast<std::uint32_t>(views_.size());
    auto const known = find_or_add(s, fresh);
    if (known != value_index::absent) return known;
    if (copy && !s.empty()) {
      auto const kept = keep_->copy(std::as_bytes(std::span(s.data(), s.size())));
      s = {reinterpret_cast<const char*>(kept.data()), kept.size()};
    }
    views_.push_back(s);
    return fresh;
  }

  /// The same for a string that was just built at the end of the arena; it is given back if it is known already.
  std::uint32_t intern_built(std::string_view s) {
    auto const fresh = static_cast<std::uint32_t>(views_.size());
    auto const known = find_or_add(s, fresh);
    if (known == value_index::absent) {
      views_.push_back(s);
      return fresh;
    }
    keep_->shrink_last(s.size());
    return known;
  }

  std::string_view operator[](std::uint32_t id) const { return views_[id]; }

 private:
  std::uint32_t find_or_add(std::string_view s, std::uint32_t fresh) {
    return known_.find_or_add(hash_text(s, seed_), fresh, [&](std::uint32_t i) { return views_[i] == s; });
  }

  arena* keep_;
  budget_vector<std::string_view> views_;
  value_index known_;
  hash_seed seed_;
};

}  // namespace profile_relay::perfetto_decode
