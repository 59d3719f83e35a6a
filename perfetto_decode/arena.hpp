#pragma once

#include <algorithm>
#include <cstring>
#include <memory>

#include "perfetto_decode/budget.hpp"
#include "perfetto_decode/wire_reader.hpp"

namespace profile_relay::perfetto_decode {

/// Memory that is given back as a whole. Blocks are charged before they are taken (budget_refused); nothing in them moves.
class arena {
 public:
  explicit arena(memory_budget& budget) : blocks_(budget), bytes_(budget) {}
  arena(arena const&) = delete;
  arena& operator=(arena const&) = delete;
  ~arena() {
    for (auto const& b : blocks_) bytes_.deallocate(b.data, b.size);
  }

  /// `size` bytes, aligned to `alignment` (at most 16), to be filled by the caller.
  std::byte* take(std::size_t size, std::size_t alignment = 1) {
    auto const skip = (alignment - (used_ & (alignment - 1))) & (alignment - 1);
    if (size + skip > room_ - used_) {
      new_block(size);
    } else {
      used_ += skip;
    }
    std::byte* const at = block_ + used_;
    used_ += size;
    return at;
  }

  /// Gives back the end of what was taken last.
  void shrink_last(std::size_t by) { used_ -= by; }

  byte_span copy(byte_span source) {
    if (source.empty()) return source;
    std::byte* const at = take(source.size());
    std::memcpy(at, source.data(), source.size());
    return {at, source.size()};
  }

 private:
  struct block {
    std::byte* data;
    std::size_t size;
  };

  void new_block(std::size_t at_least) {
    auto const size = std::max(at_least, next_size_);
    blocks_.reserve(blocks_.size() == blocks_.capacity() ? 2 * blocks_.size() + 4 : 0);
    block_ = bytes_.allocate(size);
    blocks_.push_back({block_, size});
    room_ = size;
    used_ = 0;
    next_size_ = std::min<std::size_t>(next_size_ * 2, 64 * 1024);
  }

  budget_vector<block> blocks_;
  budget_allocator<std::byte> bytes_;
  std::byte* block_ = nullptr;
  std::size_t room_ = 0;
  std::size_t used_ = 0;
  std::size_t next_size_ = 512;
};

}  // namespace profile_relay::perfetto_decode
