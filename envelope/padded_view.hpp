#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>

namespace profile_relay::envelope {

/// How many bytes after the end of a view must be readable, whatever their value: simdjson reads ahead.
inline constexpr std::size_t read_ahead = 64;

/// A view of bytes that are followed by at least `read_ahead` readable ones.
/// Any part of a padded buffer is padded too, so sub-views stay cheap. The view owns nothing.
class padded_view {
 public:
  constexpr padded_view() = default;

  /// The caller vouches for the read-ahead bytes after `bytes`.
  static constexpr padded_view assume_padded(std::span<const std::byte> bytes) {
    padded_view v;
    v.bytes_ = bytes;
    return v;
  }

  constexpr std::span<const std::byte> bytes() const { return bytes_; }
  constexpr std::size_t size() const { return bytes_.size(); }
  constexpr bool empty() const { return bytes_.empty(); }
  std::string_view text() const {
    return bytes_.empty() ? std::string_view{}
                          : std::string_view{reinterpret_cast<const char*>(bytes_.data()), bytes_.size()};
  }
  constexpr padded_view subview(std::size_t offset, std::size_t count) const {
    return assume_padded(bytes_.subspan(offset, count));
  }

 private:
  std::span<const std::byte> bytes_;
};

/// An owned copy with read-ahead, for tests, tools and inputs that come from files.
class padded_copy {
 public:
  explicit padded_copy(std::string_view text)
      : size_(text.size()), data_(std::make_unique<std::byte[]>(text.size() + read_ahead)) {
    if (!text.empty()) std::memcpy(data_.get(), text.data(), text.size());
  }
  padded_view view() const { return padded_view::assume_padded({data_.get(), size_}); }

 private:
  std::size_t size_;
  std::unique_ptr<std::byte[]> data_;
};

}  // namespace profile_relay::envelope
