#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <utility>

namespace profile_relay::server {

class byte_budget;

/// What bytes are wanted for, the most urgent first. Each kind leaves a part of the budget to those before it: bodies that
/// have arrived never hold so much that none of them can be expanded, and large ones that arrive slowly not so much that
/// no small one comes in.
enum class lease_for : std::uint8_t { work, small_input, large_input };
inline constexpr std::size_t lease_kinds = 3;

/// Bytes taken from a budget; gives them back at its end. Move-only. Not for use by two threads at once. The
/// budget must outlive it.
class byte_lease {
 public:
  byte_lease() = default;
  byte_lease(byte_lease&& o) noexcept
      : budget_(std::exchange(o.budget_, nullptr)), bytes_(std::exchange(o.bytes_, 0)) {}
  byte_lease& operator=(byte_lease&& o) noexcept;
  ~byte_lease() { release(); }

  std::uint64_t bytes() const { return bytes_; }
  explicit operator bool() const { return budget_ != nullptr; }

  /// Takes `more` bytes. Does not queue behind waiters: who already holds memory must be able to finish, or
  /// nobody is ever served. False (and unchanged) when the budget cannot give them.
  [[nodiscard]] bool grow(std::uint64_t more, lease_for what = lease_for::work);
  /// Gives `less` bytes back, at most all.
  void shrink(std::uint64_t less);
  /// Shrinks or grows to `bytes` in all.
  [[nodiscard]] bool resize(std::uint64_t bytes);
  /// Adds another lease of the same budget to this one.
  void merge(byte_lease&& other);
  void release();

 private:
  friend class byte_budget;
  byte_lease(byte_budget* b, std::uint64_t n) : budget_(b), bytes_(n) {}
  byte_budget* budget_ = nullptr;
  std::uint64_t bytes_ = 0;
};

/// A bound on memory, in bytes, shared by all threads (contract 13 "byte budget used up"). Taking and giving
/// back is one atomic operation as long as nobody waits.
class byte_budget {
 public:
  using ticket = std::uint64_t;

  /// Work may use all of it, small input is granted while no more than three quarters are in use, large input
  /// while no more than half is.
  explicit byte_budget(std::uint64_t capacity)
      : ceilings_{capacity, capacity - capacity / 4, capacity - capacity / 2} {}
  byte_budget(byte_budget const&) = delete;
  byte_budget& operator=(byte_budget const&) = delete;

  /// Absent when `bytes` do not fit, or when others wait already (first come, first served).
  std::optional<byte_lease> try_acquire(std::uint64_t bytes, lease_for what = lease_for::work);

  /// Calls `granted` once with a lease of `bytes`, as soon as they are free: at once from within this call,
  /// or later from the thread that gives bytes back, so it should only post. The more urgent kind is served
  /// first, among equals the first. A wish beyond ceiling(what) is never granted: compare before.
  ticket wait(std::uint64_t bytes, lease_for what, std::function<void(byte_lease)> granted);
  /// True: the wish is gone and `granted` will not be called. False: it was or is being called.
  bool cancel(ticket t);

  std::uint64_t capacity() const { return ceiling(lease_for::work); }
  /// The bytes in use up to which this kind is granted.
  std::uint64_t ceiling(lease_for what) const { return ceilings_[static_cast<std::size_t>(what)]; }
  std::uint64_t used() const { return used_.load(std::memory_order_relaxed); }
  std::uint64_t max_used() const { return max_used_.load(std::memory_order_relaxed); }
  std::uint64_t waiting() const { return waiters_.load(std::memory_order_relaxed); }

 private:
  friend class byte_lease;
  struct waiter {
    ticket id;
    std::uint64_t bytes;
    std::function<void(byte_lease)> granted;
  };
  bool take(std::uint64_t bytes, lease_for what);
  void give_back(std::uint64_t bytes);
  void serve_waiters();

  std::array<std::uint64_t, lease_kinds> const ceilings_;  // by lease_for
  std::atomic<std::uint64_t> used_{0}, max_used_{0}, waiters_{0};
  std::mutex mutex_;                                    // guards the two below
  std::array<std::deque<waiter>, lease_kinds> queues_;  // by lease_for
  ticket next_ticket_ = 1;
};

}  // namespace profile_relay::server
