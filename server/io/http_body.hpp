#pragma once

#include <cstddef>
#include <cstring>
#include <span>
#include <utility>

#include "envelope/padded_view.hpp"

namespace profile_relay::server {

/// The memory of one request body: grows without copying once it is large, always readable envelope::read_ahead bytes
/// past its end, and kept between requests. Throws std::bad_alloc.
class http_body {
 public:
  /// From here on a body has pages of its own. They move instead of being copied when it grows, and are gone with it:
  /// hundreds of bodies that grow side by side leave holes in the allocator's arenas, and it keeps those.
  static constexpr std::size_t own_pages = 128u << 10;

  http_body() = default;
  http_body(http_body&& o) noexcept
      : data_(std::exchange(o.data_, nullptr)),
        size_(std::exchange(o.size_, 0)),
        capacity_(std::exchange(o.capacity_, 0)) {}
  http_body& operator=(http_body&& o) noexcept {
    std::swap(data_, o.data_);
    std::swap(size_, o.size_);
    std::swap(capacity_, o.capacity_);
    return *this;
  }
  ~http_body() { release(); }

  std::size_t size() const { return size_; }
  std::size_t capacity() const { return capacity_; }
  void clear() { size_ = 0; }

  /// Room for `capacity` bytes in all.
  void reserve(std::size_t capacity);
  /// The free room behind the content; `commit` says how much of it was filled.
  std::span<std::byte> room() { return {data_ + size_, capacity_ - size_}; }
  void commit(std::size_t n) { size_ += n; }
  /// The room must be there.
  void append(std::span<const std::byte> bytes) {
    if (!bytes.empty()) std::memcpy(data_ + size_, bytes.data(), bytes.size());
    size_ += bytes.size();
  }

  envelope::padded_view view() {
    if (data_ == nullptr) return {};
    // What lies behind the end is never used, but must not be uninitialised for the checkers.
    std::memset(data_ + size_, 0, envelope::read_ahead);
    return envelope::padded_view::assume_padded({data_, size_});
  }

 private:
  void release() noexcept;

  std::byte* data_ = nullptr;
  std::size_t size_ = 0, capacity_ = 0;
};

}  // namespace profile_relay::server
