#pragma once

#include <cassert>
#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>

namespace profile_relay::profile {

/// Collects small pieces of text before they go to a string: its growth check is paid per block, not per
/// piece.
/// Ends up with no more than one block, or one large piece, beyond `max_bytes`.
class text_block {
 public:
  static constexpr std::size_t capacity = 8192;

  text_block(std::string& out, std::size_t max_bytes) : out_(out), max_bytes_(max_bytes) {}
  text_block(text_block const&) = delete;
  text_block& operator=(text_block const&) = delete;

  /// A place for up to `n` characters; null when the text has become too long. What was written counts once
  /// `advance_to` is told its end. More than `capacity` is possible, but slower.
  char* room(std::size_t n) {
    assert(!large_);
    if (used_ + n <= capacity) return text_ + used_;
    if (!flush()) return nullptr;
    if (n <= capacity) return text_;
    large_ = true;
    const auto size = out_.size();
    out_.resize(size + n);
    return out_.data() + size;
  }
  void advance_to(char const* end) {
    if (large_) {
      out_.resize(static_cast<std::size_t>(end - out_.data()));
      large_ = false;
    } else {
      used_ = static_cast<std::size_t>(end - text_);
    }
  }

  /// Hands everything to the string. False when that has become too long.
  bool flush() {
    out_.append(text_, used_);
    used_ = 0;
    return out_.size() <= max_bytes_;
  }

 private:
  std::string& out_;
  std::size_t max_bytes_;
  std::size_t used_ = 0;
  bool large_ = false;
  char text_[capacity];
};

inline char* write_text(char* to, std::string_view s) {
  std::memcpy(to, s.data(), s.size());
  return to + s.size();
}

}  // namespace profile_relay::profile
