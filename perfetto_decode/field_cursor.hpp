#pragma once

#include "perfetto_decode/wire_reader.hpp"

namespace profile_relay::perfetto_decode {

/// Tags as field_cursor gives them: field number and wire type in one word, for `case` labels.
constexpr std::uint32_t varint_tag(std::uint32_t field) { return field << 3; }
constexpr std::uint32_t bytes_tag(std::uint32_t field) { return (field << 3) | 2u; }

/// Walks the fields of one protobuf message like wire_reader and refuses the same inputs, but decodes a value only when
/// asked: after next() the caller calls exactly one of varint(), bytes() and skip(). With one `switch` over tag() this
/// costs half of what a general reader does, which is why the messages that every sample carries are read with it.
/// Once damaged, next() is false and what was read before counts.
class field_cursor {
 public:
  explicit field_cursor(byte_span message) : p_(message.data()), end_(p_ + message.size()) {}

  [[gnu::always_inline]] bool next() {
    if (p_ == end_) return false;
    tag_ = static_cast<std::uint8_t>(*p_);
    if (tag_ < 0x80u) {
      ++p_;
    } else if (end_ - p_ >= 2 && static_cast<std::uint8_t>(p_[1]) < 0x80u) {
      tag_ = (tag_ & 0x7fu) | (static_cast<std::uint32_t>(p_[1]) << 7);
      p_ += 2;
    } else {
      std::uint64_t long_tag = 0;
      const std::byte* const p = read_varint(p_, end_, long_tag);
      if (p == nullptr) return damage();
      tag_ = static_cast<std::uint32_t>(long_tag);  // the low 32 bits count, as protobuf's readers have it
      p_ = p;
    }
    return tag_ >= 8 || damage();
  }

  std::uint32_t tag() const { return tag_; }
  std::uint32_t number() const { return tag_ >> 3; }
  bool is_varint() const { return (tag_ & 7u) == static_cast<unsigned>(wire_type::varint); }
  bool is_bytes() const { return (tag_ & 7u) == static_cast<unsigned>(wire_type::bytes); }
  bool ok() const { return ok_; }

  [[gnu::always_inline]] bool varint(std::uint64_t& out) {
    const std::byte* const p = read_varint(p_, end_, out);
    if (p == nullptr) return damage();
    p_ = p;
    return true;
  }

  [[gnu::always_inline]] bool bytes(byte_span& out) {
    std::uint64_t size = 0;
    const std::byte* const p = read_varint(p_, end_, size);
    if (p == nullptr || size > static_cast<std::uint64_t>(end_ - p)) return damage();
    out = {p, static_cast<std::size_t>(size)};
    p_ = p + size;
    return true;
  }

  void skip() {
    std::uint64_t ignored = 0;
    byte_span unread;
    switch (static_cast<wire_type>(tag_ & 7u)) {
      case wire_type::varint:
        (void)varint(ignored);
        break;
      case wire_type::bytes:
        (void)bytes(unread);
        break;
      case wire_type::fixed64:
        pass(8);
        break;
      case wire_type::fixed32:
        pass(4);
        break;
      default:
        (void)damage();
    }
  }

 private:
  void pass(std::ptrdiff_t n) {
    if (end_ - p_ < n)
      (void)damage();
    else
      p_ += n;
  }
  bool damage() {
    ok_ = false;
    p_ = end_;
    return false;
  }

  const std::byte* p_;
  const std::byte* end_;
  std::uint32_t tag_ = 0;
  bool ok_ = true;
};

}  // namespace profile_relay::perfetto_decode
