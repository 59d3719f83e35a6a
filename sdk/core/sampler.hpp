// The seam between what samples and what uses samples; tests put a fake on either side.
#pragma once

#include <memory>
#include <span>

#include "sdk/core/sample.hpp"

namespace profile_relay::sdk {

/// Called on the sampler's own thread, once a tick. What is passed lives until the call returns.
class tick_sink {
 public:
  virtual ~tick_sink() = default;
  /// Before on_tick, if there are any: the threads that were asked in this tick and have not answered.
  virtual void on_missed(std::span<const std::int32_t> tids) noexcept { static_cast<void>(tids); }
  virtual void on_tick(std::span<const stack_sample> samples, const tick_counts& counts) noexcept = 0;
};

enum class sampler_status {
  running,
  /// Another owner of SIGPROF (a foreign handler, another copy of this library), no thread, or a sanitizer's build.
  unavailable,
};

/// Takes the stacks of every thread of this process but its own, 101 times a second.
class sampler {
 public:
  virtual ~sampler() = default;
  /// Begins to call the sink; refuses with `unavailable`, and then never calls it.
  virtual sampler_status start(tick_sink& sink) = 0;
  /// After it returns the sink is not called any more. Harmless when not running; may be called from within on_tick,
  /// which then is the last one.
  virtual void stop() = 0;
};

/// How a thread's stack is followed (profiling API, 3.2).
enum class stack_walk {
  /// unwind_tables where they are async-signal-safe (glibc 2.35), else frame_pointers.
  automatic,
  /// glibc's backtrace(): works for code as compilers build it by default.
  unwind_tables,
  /// Ten times cheaper; needs the application and its libraries built with -fno-omit-frame-pointer. Where they are not,
  /// stacks end early and count as truncated. A leaf function, for which compilers make no
  /// frame even so, hides its caller.
  frame_pointers,
};

/// The real one (sdk/sampler).
std::unique_ptr<sampler> make_signal_sampler(stack_walk walk = stack_walk::automatic);

}  // namespace profile_relay::sdk
