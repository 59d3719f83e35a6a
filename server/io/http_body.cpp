#include "server/io/http_body.hpp"

#include <sys/mman.h>

#include <cstdlib>
#include <new>

namespace profile_relay::server {

namespace {

constexpr std::size_t allocated(std::size_t capacity) { return capacity + envelope::read_ahead; }

std::byte* map(std::size_t bytes) {
  void* p = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (p == MAP_FAILED) throw std::bad_alloc();
  return static_cast<std::byte*>(p);
}

}  // namespace

void http_body::reserve(std::size_t capacity) {
  if (capacity <= capacity_) return;
  if (capacity < own_pages) {
    void* p = std::realloc(data_, allocated(capacity));
    if (p == nullptr) throw std::bad_alloc();
    data_ = static_cast<std::byte*>(p);
  } else if (capacity_ < own_pages) {
    auto* p = map(allocated(capacity));
    if (size_ > 0) std::memcpy(p, data_, size_);
    std::free(data_);
    data_ = p;
  } else {
    void* p = mremap(data_, allocated(capacity_), allocated(capacity), MREMAP_MAYMOVE);
    if (p == MAP_FAILED) throw std::bad_alloc();
    data_ = static_cast<std::byte*>(p);
  }
  capacity_ = capacity;
}

void http_body::release() noexcept {
  if (capacity_ < own_pages)
    std::free(data_);
  else
    munmap(data_, allocated(capacity_));
}

}  // namespace profile_relay::server
