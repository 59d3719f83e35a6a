// SIGPROF: whose it is, what its handler does, and how it is sent.
#pragma once

#include <signal.h>

#include <cstddef>
#include <cstdint>

#include "sdk/core/sampler.hpp"

namespace profile_relay::sdk {

/// Takes SIGPROF for this process. False, and nothing changed, when it has a handler that is not ours (the host's, another
/// profiler's, that of another copy of this library) or another sampler of this copy holds it. A fork's child may take it
/// although its parent holds it.
bool take_signal(stack_walk walk);

/// Whether SIGPROF still has our handler; the host may have put its own there since.
bool have_signal();

/// Gives SIGPROF back as it was found. What is still pending in some thread, blocked there perhaps for hours, is dropped
/// by ignoring the signal for a moment: the default action, arriving late, would end the process. A handler that the host
/// has put there since stays.
void give_signal_back();

enum class sent { yes, no_such_thread, failed };

/// Asks threads for their stacks: tgkill() with a value, which tells the handler whose answer it is.
class signal_sender {
 public:
  signal_sender();
  /// While an earlier signal is pending in the thread, this one is lost (SIGPROF does not queue).
  sent operator()(std::int32_t tid, std::uint64_t request, std::size_t slot);

 private:
  siginfo_t info_;
};

}  // namespace profile_relay::sdk
