#include "server/core/byte_budget.hpp"

#include <algorithm>
#include <vector>

namespace profile_relay::server {

byte_lease& byte_lease::operator=(byte_lease&& o) noexcept {
  if (this != &o) {
    release();
    budget_ = std::exchange(o.budget_, nullptr);
    bytes_ = std::exchange(o.bytes_, 0);
  }
  return *this;
}

bool byte_lease::grow(std::uint64_t more, lease_for what) {
  if (!budget_ || !budget_->take(more, what)) return false;
  bytes_ += more;
  return true;
}

void byte_lease::shrink(std::uint64_t less) {
  less = std::min(less, bytes_);
  if (!budget_ || less == 0) return;
  bytes_ -= less;
  budget_->give_back(less);
}

bool byte_lease::resize(std::uint64_t bytes) {
  if (bytes > bytes_) return grow(bytes - bytes_);
  shrink(bytes_ - bytes);
  return true;
}

void byte_lease::merge(byte_lease&& other) {
  if (!budget_) budget_ = other.budget_;
  bytes_ += std::exchange(other.bytes_, 0);
  other.budget_ = nullptr;
}

void byte_lease::release() {
  shrink(bytes_);
  budget_ = nullptr;
}

std::optional<byte_lease> byte_budget::try_acquire(std::uint64_t bytes, lease_for what) {
  if (waiters_.load() != 0 || !take(bytes, what)) return std::nullopt;
  return byte_lease(this, bytes);
}

byte_budget::ticket byte_budget::wait(std::uint64_t bytes, lease_for what,
                                      std::function<void(byte_lease)> granted) {
  ticket id;
  {
    std::scoped_lock lock(mutex_);
    id = next_ticket_++;
    // Counted before serve_waiters() looks at used_: whoever gives bytes back in between sees the waiter.
    waiters_.fetch_add(1);
    queues_[static_cast<std::size_t>(what)].push_back({id, bytes, std::move(granted)});
  }
  serve_waiters();
  return id;
}

bool byte_budget::cancel(ticket t) {
  bool found = false;
  {
    std::scoped_lock lock(mutex_);
    for (auto& queue : queues_) {
      auto const it = std::find_if(queue.begin(), queue.end(), [t](waiter const& w) { return w.id == t; });
      if (it == queue.end()) continue;
      queue.erase(it);
      waiters_.fetch_sub(1);
      found = true;
    }
  }
  // A large wish at the front may have held back smaller ones that fit.
  if (found) serve_waiters();
  return found;
}

bool byte_budget::take(std::uint64_t bytes, lease_for what) {
  auto const most = ceiling(what);
  auto used = used_.load();
  do {
    if (bytes > most || used > most - bytes) return false;
  } while (!used_.compare_exchange_weak(used, used + bytes));
  auto const now = used + bytes;
  auto seen = max_used_.load(std::memory_order_relaxed);
  while (seen < now && !max_used_.compare_exchange_weak(seen, now, std::memory_order_relaxed)) {
  }
  return true;
}

void byte_budget::give_back(std::uint64_t bytes) {
  used_.fetch_sub(bytes);
  if (waiters_.load() != 0) serve_waiters();
}

void byte_budget::serve_waiters() {
  std::vector<waiter> served;
  {
    std::scoped_lock lock(mutex_);
    for (std::size_t kind = 0; kind < lease_kinds; ++kind) {
      auto& queue = queues_[kind];
      while (!queue.empty() && take(queue.front().bytes, static_cast<lease_for>(kind))) {
        served.push_back(std::move(queue.front()));
        queue.pop_front();
        waiters_.fetch_sub(1);
      }
      // What is free now is saved up for the more urgent wish.
      if (!queue.empty()) break;
    }
  }
  // Outside the lock: a callback may drop its lease at once and come back in here.
  for (auto& w : served) w.granted(byte_lease(this, w.bytes));
}

}  // namespace profile_relay::server
