#include <cstdint>

// Not exported: its name is in .symtab only.
__attribute__((noinline)) static std::uintptr_t hidden_in_loadable(int n) {
  auto volatile copy = n;
  return reinterpret_cast<std::uintptr_t>(&hidden_in_loadable) + static_cast<std::uintptr_t>(copy - n);
}

/// The address of the hidden function.
extern "C" std::uintptr_t address_in_loadable() { return hidden_in_loadable(7); }

/// Calls back, so that this image is in the middle of a stack.
extern "C" void call_through_loadable(void (*back)(void*), void* with) {
  back(with);
  asm volatile("");  // no tail call
}
