// What of the sampler depends on the processor; the only such place is machine_x86_64.cpp.
#pragma once

#include <cstdint>

namespace profile_relay::sdk {

/// Registers of a thread when the signal arrived.
struct machine_state {
  std::uintptr_t pc = 0, sp = 0, fp = 0;
};

/// From the third argument of a signal handler.
machine_state interrupted_state(void const* context);

/// What lies at the frame pointer; the same on x86-64 and AArch64.
struct frame_record {
  std::uintptr_t next_fp;
  std::uintptr_t return_address;
};

}  // namespace profile_relay::sdk
