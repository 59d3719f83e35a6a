#pragma once

#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

#include "perfetto_decode/budget.hpp"
#include "perfetto_decode/wire_reader.hpp"

namespace profile_relay::perfetto_decode {

/// Keeps copies of bytes whose source goes away (the window of an inflated bundle). Blocks are charged as
/// taken.
class arena {
 public:
  explicit arena(memory_budget& budget) : budget_(&budget) {}
  arena(arena const&) = delete;
  arena& operator=(arena const&) = delete;
  arena(arena&&) = delete;
  arena& operator=(arena&&) = delete;
  ~arena() { budget_->refund(charged_); }

  /// The copy, or an empty span with a null pointer when the budget refuses.
  byte_span copy(byte_span source) {
    if (source.size() > left_) {
      std::size_t const block = std::max(source.size(), next_block_);
      if (!budget_->charge(block)) return {};
      charged_ += block;
      blocks_.push_back(std::make_unique_for_overwrite<std::byte[]>(block));
      cursor_ = blocks_.back().get();
      left_ = block;
      next_block_ = std::min<std::size_t>(next_block_ * 2, 64 * 1024);
    }
    std::byte* const at = cursor_;
    if (!source.empty()) std::memcpy(at, source.data(), source.size());
    cursor_ += source.size();
    left_ -= source.size();
    return {at, source.size()};
  }

 private:
  memory_budget* budget_;
  std::vector<std::unique_ptr<std::byte[]>> blocks_;
  std::byte* cursor_ = nullptr;
  std::size_t left_ = 0;
  std::size_t next_block_ = 512;
  std::size_t charged_ = 0;
};

}  // namespace profile_relay::perfetto_decode
