#include <ucontext.h>

#include "sdk/sampler/machine.hpp"

#if !defined(__x86_64__) || !defined(__linux__)
#error "the sampler knows the registers of x86-64 Linux only"
#endif

namespace profile_relay::sdk {

machine_state interrupted_state(void const* context) {
  auto const& registers = static_cast<ucontext_t const*>(context)->uc_mcontext.gregs;
  return {static_cast<std::uintptr_t>(registers[REG_RIP]), static_cast<std::uintptr_t>(registers[REG_RSP]),
          static_cast<std::uintptr_t>(registers[REG_RBP])};
}

}  // namespace profile_relay::sdk
