#pragma once

#include <boost/unordered/unordered_flat_set.hpp>
#include <cstdint>
#include <string_view>
#include <vector>

#include "perfetto_decode/arena.hpp"
#include "perfetto_decode/budget.hpp"
#include "perfetto_decode/hash.hpp"

namespace profile_relay::perfetto_decode {

/// Distinct strings of the result, by content. Id 0 is the empty string. Strings whose source goes away are
/// copied.
class string_table {
 public:
  static constexpr std::uint32_t refused = 0xffff'ffff;  ///< the budget refused

  string_table(memory_budget& result, arena& keep)
      : result_(&result), keep_(&keep), known_(0, hash{&hashes_}, equal{&views_}) {
    (void)intern({}, false);
  }
  string_table(string_table const&) = delete;
  string_table& operator=(string_table const&) = delete;

  std::uint32_t intern(std::string_view s, bool copy) {
    // The set holds ids: the candidate is appended first, so that it can be compared like the others.
    auto const id = static_cast<std::uint32_t>(views_.size());
    views_.push_back(s);
    hashes_.push_back(hash_of(s));
    if (auto it = known_.find(id); it != known_.end()) {
      drop_last();
      return *it;
    }
    // A view, a hash and a slot of the set at its lowest load, and the vectors' slack.
    bool ok = result_->charge(2 * (sizeof(std::string_view) + sizeof(std::uint64_t)) + 3 * sizeof(id));
    if (ok && copy) {
      auto const kept = keep_->copy(std::as_bytes(std::span(s.data(), s.size())));
      ok = kept.data() != nullptr || s.empty();
      views_.back() = {reinterpret_cast<const char*>(kept.data()), kept.size()};
    }
    if (!ok) {
      drop_last();
      return refused;
    }
    known_.insert(id);
    return id;
  }

  std::string_view operator[](std::uint32_t id) const { return views_[id]; }

 private:
  struct hash {
    std::vector<std::uint64_t> const* hashes;
    std::size_t operator()(std::uint32_t i) const { return (*hashes)[i]; }
  };
  struct equal {
    std::vector<std::string_view> const* views;
    bool operator()(std::uint32_t a, std::uint32_t b) const { return (*views)[a] == (*views)[b]; }
  };
  void drop_last() {
    views_.pop_back();
    hashes_.pop_back();
  }

  memory_budget* result_;
  arena* keep_;
  std::vector<std::string_view> views_;
  std::vector<std::uint64_t> hashes_;
  boost::unordered_flat_set<std::uint32_t, hash, equal> known_;
};

}  // namespace profile_relay::perfetto_decode
