#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "perfetto_decode/arena.hpp"
#include "perfetto_decode/budget.hpp"

namespace profile_relay::perfetto_decode {

/// Distinct strings of the result, by content. Id 0 is the empty string. Strings whose source goes away are
/// copied.
class string_table {
 public:
  static constexpr std::uint32_t refused = 0xffff'ffff;  ///< the budget refused

  string_table(memory_budget& result, arena& keep) : result_(&result), keep_(&keep) {
    views_.emplace_back();
    ids_.emplace(std::string_view{}, 0u);
  }

  std::uint32_t intern(std::string_view s, bool copy) {
    if (auto it = ids_.find(s); it != ids_.end()) return it->second;
    // One view, one slot of the hash table at its lowest load, and both vectors' slack.
    if (!result_->charge(2 * sizeof(std::string_view) + 3 * 24)) return refused;
    if (copy) {
      auto const kept = keep_->copy(std::as_bytes(std::span(s.data(), s.size())));
      if (kept.data() == nullptr) return refused;
      s = {reinterpret_cast<const char*>(kept.data()), kept.size()};
    }
    auto const id = static_cast<std::uint32_t>(views_.size());
    views_.push_back(s);
    ids_.emplace(s, id);
    return id;
  }

  std::string_view operator[](std::uint32_t id) const { return views_[id]; }

 private:
  memory_budget* result_;
  arena* keep_;
  std::vector<std::string_view> views_;
  boost::unordered_flat_map<std::string_view, std::uint32_t, std::hash<std::string_view>> ids_;
};

}  // namespace profile_relay::perfetto_decode
