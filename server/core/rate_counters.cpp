#include "server/core/rate_counters.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace profile_relay::server {

/// The node, its key, and its share of the bucket array; what malloc adds is in the 64.
std::uint64_t local_rate_counters::bytes_of(std::string const& key) {
  return sizeof(std::pair<const std::string, window>) + key.size() + 64;
}

/// The counter of this window; an entry of an older window counts as absent.
local_rate_counters::window* local_rate_counters::find(quota_counter const& c) {
  auto const it = windows_.find(c.key);
  if (it == windows_.end()) return nullptr;
  auto& w = it->second;
  // A thread that read the clock just before the window turned must not turn it back for the others. Only
  // one window back, though: a clock that was set back for good starts anew.
  bool const same = w.slot == c.slot || w.slot == c.slot + 1;
  return same ? &w : nullptr;
}

local_rate_counters::window* local_rate_counters::find_or_add(quota_counter const& c, std::uint64_t now_s) {
  if (auto* w = find(c)) return w;
  auto it = windows_.find(c.key);
  if (it == windows_.end()) {
    if (now_s >= next_end_s_) drop_ended(now_s);
    auto const bytes = bytes_of(c.key);
    if (bytes_ + bytes > max_bytes_) return nullptr;
    it = windows_.try_emplace(c.key).first;
    bytes_ += bytes;
  }
  it->second = {c.slot, c.end_s, 0, 0};
  next_end_s_ = std::min(next_end_s_, c.end_s);
  return &it->second;
}

void local_rate_counters::drop_ended(std::uint64_t now_s) {
  next_end_s_ = std::numeric_limits<std::uint64_t>::max();
  for (auto it = windows_.begin(); it != windows_.end();) {
    if (it->second.end_s <= now_s) {
      bytes_ -= bytes_of(it->first);
      it = windows_.erase(it);
    } else {
      next_end_s_ = std::min(next_end_s_, it->second.end_s);
      ++it;
    }
  }
}

std::vector<bool> local_rate_counters::check(std::span<const quota_counter> counters, std::uint64_t now_s,
                                             act what) {
  std::vector<bool> full(counters.size());
  std::scoped_lock lock(mutex_);
  bool any = false;
  for (std::size_t i = 0; i < counters.size(); ++i) {
    if (!counters[i].limit) continue;
    auto const* w = find(counters[i]);
    full[i] = (w != nullptr ? w->count : 0) >= *counters[i].limit;
    any = any || full[i];
  }
  if (any || what == act::look) return full;
  ++calls_;
  for (auto const& c : counters) {
    auto* w = find_or_add(c, now_s);
    if (w == nullptr) {
      ++uncounted_;
      continue;
    }
    // Quotas with one id share their counter, and one chunk counts once.
    if (std::exchange(w->counted_by, calls_) != calls_) ++w->count;
  }
  return full;
}

rate_counters::statistics local_rate_counters::stats() const {
  std::scoped_lock lock(mutex_);
  return {windows_.size(), bytes_, uncounted_};
}

}  // namespace profile_relay::server
