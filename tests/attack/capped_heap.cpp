// malloc and its family, defined in the executable: the dynamic linker then binds every shared library to these too.
#include "capped_heap.hpp"

#include <malloc.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>

// glibc's own entry points, which stay what they are when malloc is replaced.
extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);
void __libc_free(void*);
}

namespace {

bool active = false;
bool passed = false;
std::size_t limit = 0;
// May dip below 0: memory from before the start is freed too.
std::ptrdiff_t in_use = 0;
std::ptrdiff_t highest = 0;

/// False when `size` more bytes pass the cap.
bool admit(std::size_t size) {
  if (!active) return true;
  if (size <= limit && in_use + static_cast<std::ptrdiff_t>(size) <= static_cast<std::ptrdiff_t>(limit))
    return true;
  passed = true;
  errno = ENOMEM;
  return false;
}

void* taken(void* memory) {
  if (active && memory != nullptr) {
    in_use += static_cast<std::ptrdiff_t>(malloc_usable_size(memory));
    if (in_use > highest) highest = in_use;
  }
  return memory;
}

void given_back(void* memory) {
  if (active && memory != nullptr) in_use -= static_cast<std::ptrdiff_t>(malloc_usable_size(memory));
}

}  // namespace

namespace attack {

bool heap_is_watched() { return true; }

void start_cap(std::size_t cap) {
  in_use = highest = 0;
  limit = cap;
  passed = false;
  active = true;
}

heap_use stop_cap() {
  active = false;
  return {static_cast<std::size_t>(highest), passed};
}

}  // namespace attack

extern "C" {

void* malloc(std::size_t size) noexcept { return admit(size) ? taken(__libc_malloc(size)) : nullptr; }

void* calloc(std::size_t count, std::size_t size) noexcept {
  std::size_t total = 0;
  if (__builtin_mul_overflow(count, size, &total)) total = SIZE_MAX;
  return admit(total) ? taken(__libc_calloc(count, size)) : nullptr;
}

// While it moves, the old block and the new one exist both; that counts.
void* realloc(void* memory, std::size_t size) noexcept {
  if (!active) return __libc_realloc(memory, size);
  void* const fresh = malloc(size);
  if (fresh == nullptr || memory == nullptr) return fresh;
  std::size_t const old = malloc_usable_size(memory);
  std::memcpy(fresh, memory, old < size ? old : size);
  free(memory);
  return fresh;
}

void* memalign(std::size_t align, std::size_t size) noexcept {
  return admit(size) ? taken(__libc_memalign(align, size)) : nullptr;
}

void* aligned_alloc(std::size_t align, std::size_t size) noexcept { return memalign(align, size); }

int posix_memalign(void** out, std::size_t align, std::size_t size) noexcept {
  void* const memory = memalign(align, size);
  if (memory == nullptr) return ENOMEM;
  *out = memory;
  return 0;
}

void* valloc(std::size_t size) noexcept { return memalign(4096, size); }
void* pvalloc(std::size_t size) noexcept { return memalign(4096, (size + 4095) / 4096 * 4096); }

void free(void* memory) noexcept {
  given_back(memory);
  __libc_free(memory);
}

}  // extern "C"
