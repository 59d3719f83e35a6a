// Where handlers put what they find. Preallocated, lock-free, and there as long as the process.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "sdk/core/sample.hpp"

namespace profile_relay::sdk {

/// One stack on its way from a handler to the sampler. `state` is a tick's number and a phase:
///   idle -> armed (sampler, before the signal) -> writing (handler) -> done (handler) -> idle (sampler)
///   armed -> idle (sampler, at the deadline): the handler of that tick, should it still come, finds nothing to do
/// A slot in `writing` belongs to its handler, however late, and is not armed again until that is done.
class sample_slot {
 public:
  static constexpr std::uint64_t ticks_end = std::uint64_t{1} << 48;

  /// Sampler: expects the handler of this tick.
  void arm(std::uint64_t tick) { state_.store(word(tick, armed), std::memory_order_release); }
  /// Handler: true if this tick is still expected; then the sample is its own until finish().
  bool begin(std::uint64_t tick) { return change(tick, armed, writing); }
  void finish(std::uint64_t tick) { state_.store(word(tick, done), std::memory_order_release); }

  enum class end { sample, nothing, still_writing };
  /// Sampler, at the deadline. After `still_writing` the slot may be asked again.
  end collect(std::uint64_t tick) {
    if (change(tick, armed, idle)) return end::nothing;
    return state_.load(std::memory_order_acquire) == word(tick, done) ? end::sample : end::still_writing;
  }

  stack_sample sample;
  std::uint32_t handler_ns = 0;

 private:
  enum phase : std::uint64_t { idle, armed, writing, done };
  static constexpr std::uint64_t word(std::uint64_t tick, phase p) { return tick << 2 | p; }
  bool change(std::uint64_t tick, phase from, phase to) {
    auto expected = word(tick, from);
    return state_.compare_exchange_strong(expected, word(tick, to), std::memory_order_acq_rel);
  }

  std::atomic<std::uint64_t> state_{0};
  static_assert(std::atomic<std::uint64_t>::is_always_lock_free);
};

/// Threads that can be sampled in one tick; more are missed. 1.1 MiB, of which only used pages take memory.
inline constexpr std::size_t slot_count = 1'024;

/// Never freed: a handler may come late, even after the sampler is gone.
extern std::array<sample_slot, slot_count> slot_pool;

}  // namespace profile_relay::sdk
