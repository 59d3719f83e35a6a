// Following the stack of the thread that a signal interrupted. Async-signal-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "sdk/core/sampler.hpp"

namespace profile_relay::sdk {

struct walked_stack {
  std::size_t depth = 0;   ///< at least 1: the interrupted pc
  bool truncated = false;  ///< ended before the thread's root
};

/// What `automatic` means here, and a first walk outside any handler: it loads libgcc_s, which allocates.
stack_walk prepare_walk(stack_walk wanted);

/// Leaf first into `out`, which is not empty. Calls no walk but those that prepare_walk() has prepared.
walked_stack walk_stack(stack_walk how, void const* context, std::span<std::uintptr_t> out);

}  // namespace profile_relay::sdk
