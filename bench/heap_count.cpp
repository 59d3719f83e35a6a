#include "bench/heap_count.hpp"

#include <malloc.h>

#include <cstdlib>
#include <new>

namespace profile_relay::bench {
namespace {

// One thread only, like the benchmark itself. `in_use` may dip below 0: memory from before counting is freed
// too.
bool counting = false;
std::uint64_t allocations = 0;
std::ptrdiff_t in_use = 0;
std::ptrdiff_t peak = 0;

void* counted(void* memory) {
  if (memory == nullptr) throw std::bad_alloc();
  if (counting) {
    ++allocations;
    in_use += static_cast<std::ptrdiff_t>(malloc_usable_size(memory));
    if (in_use > peak) peak = in_use;
  }
  return memory;
}

void release(void* memory) noexcept {
  if (counting && memory != nullptr) in_use -= static_cast<std::ptrdiff_t>(malloc_usable_size(memory));
  std::free(memory);
}

}  // namespace

void start_counting() {
  allocations = 0;
  in_use = peak = 0;
  counting = true;
}

heap_use stop_counting() {
  counting = false;
  return {allocations, static_cast<std::size_t>(peak)};
}

}  // namespace profile_relay::bench

namespace b = profile_relay::bench;

void* operator new(std::size_t size) { return b::counted(std::malloc(size)); }
void* operator new[](std::size_t size) { return b::counted(std::malloc(size)); }
void* operator new(std::size_t size, std::align_val_t align) {
  auto const a = static_cast<std::size_t>(align);
  return b::counted(std::aligned_alloc(a, (size + a - 1) / a * a));
}
void operator delete(void* memory) noexcept { b::release(memory); }
void operator delete[](void* memory) noexcept { b::release(memory); }
void operator delete(void* memory, std::size_t) noexcept { b::release(memory); }
void operator delete[](void* memory, std::size_t) noexcept { b::release(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { b::release(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { b::release(memory); }
