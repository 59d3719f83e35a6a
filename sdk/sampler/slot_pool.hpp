// Where handlers put what they find. Preallocated, lock-free, and there as long as the process.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "sdk/core/sample.hpp"

namespace profile_relay::sdk {

/// One stack on its way from a handler to the sampler. `state` is a request's number and a phase:
///   idle -> armed (sampler, before the signal) -> writing (handler) -> done (handler) -> idle (sampler)
///   armed -> idle (sampler, that gives the request up): the handler, should it still come, finds nothing to do
/// A slot in `writing` belongs to its handler, however late, and is not armed again until that is done.
class sample_slot {
 public:
  /// Sampler: expects a handler with this number, which no other request ever has.
  void arm(std::uint64_t request) { state_.store(word(request, armed), std::memory_order_release); }
  /// Handler: true if this request still stands; then the sample is its own until finish().
  bool begin(std::uint64_t request) { return change(request, armed, writing); }
  void finish(std::uint64_t request) { state_.store(word(request, done), std::memory_order_release); }

  /// Sampler: true once, when the sample is there.
  bool take(std::uint64_t request) { return change(request, done, idle); }
  /// Sampler: gives up what nobody has answered. False when a handler has begun to, or has.
  bool give_up(std::uint64_t request) { return change(request, armed, idle); }
  /// Sampler: whether it may be armed; not while a handler of an earlier run writes.
  [[nodiscard]] bool reusable() const { return (state_.load(std::memory_order_acquire) & 3) != writing; }

  stack_sample sample;
  std::uint32_t handler_ns = 0;

 private:
  enum phase : std::uint64_t { idle, armed, writing, done };
  static constexpr std::uint64_t word(std::uint64_t request, phase p) { return request << 2 | p; }
  bool change(std::uint64_t request, phase from, phase to) {
    auto expected = word(request, from);
    return state_.compare_exchange_strong(expected, word(request, to), std::memory_order_acq_rel);
  }

  std::atomic<std::uint64_t> state_{0};
  static_assert(std::atomic<std::uint64_t>::is_always_lock_free);
};

/// Threads that can be asked at a time; more are missed. 1.1 MiB, of which only used pages take memory.
inline constexpr std::size_t slot_count = 1'024;

/// Never freed: a handler may come late, even after the sampler is gone.
extern std::array<sample_slot, slot_count> slot_pool;

}  // namespace profile_relay::sdk
