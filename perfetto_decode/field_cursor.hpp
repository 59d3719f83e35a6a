#pragma once

#include <bit>
#include <cstring>

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

  /// For fields that are mostly written in a known order: reads this one if it comes next. `tag` is of one byte.
  [[gnu::always_inline]] bool take(std::uint32_t tag, std::uint64_t& out) {
    if (p_ == end_ || static_cast<std::uint8_t>(*p_) != tag) return false;
    ++p_;
    return varint(out);
  }
  [[gnu::always_inline]] void pass(std::uint32_t tag) {
    if (p_ == end_ || static_cast<std::uint8_t>(*p_) != tag) return;
    ++p_;
    tag_ = tag;
    skip();
  }
  /// The same for tags of two bytes.
  [[gnu::always_inline]] bool take_long(std::uint32_t tag, byte_span& out) {
    return comes_long(tag) && bytes(out);
  }
  [[gnu::always_inline]] void pass_long(std::uint32_t tag) {
    if (!comes_long(tag)) return;
    tag_ = tag;
    skip();
  }

  [[gnu::always_inline]] void skip() {
    if (is_varint() && p_ != end_ && static_cast<std::uint8_t>(*p_) < 0x80u) {
      ++p_;
      return;
    }
    if (is_varint() && end_ - p_ >= 2 && static_cast<std::uint8_t>(p_[1]) < 0x80u) {
      p_ += 2;
      return;
    }
    if (is_varint() && end_ - p_ >= 8) {
      // The end of a varint is the first byte without its top bit.
      std::uint64_t w = 0;
      std::memcpy(&w, p_, 8);
      auto const ends = ~w & 0x8080808080808080u;
      if (ends != 0 && std::endian::native == std::endian::little) {
        p_ += static_cast<unsigned>(std::countr_zero(ends)) / 8 + 1;
        return;
      }
    }
    auto const* const p = end_of_value(p_, end_, tag_);
    if (p != nullptr)
      p_ = p;
    else
      (void)damage();
  }

 private:
  [[gnu::always_inline]] bool comes_long(std::uint32_t tag) {
    bool const comes = end_ - p_ >= 2 && static_cast<std::uint8_t>(p_[0]) == ((tag & 0x7fu) | 0x80u) &&
                       static_cast<std::uint8_t>(p_[1]) == tag >> 7;
    p_ += comes ? 2 : 0;
    return comes;
  }
  // Takes its state as arguments, so that the cursor itself can live in registers.
  [[gnu::noinline]] static const std::byte* end_of_value(const std::byte* p, const std::byte* end,
                                                         std::uint32_t tag) {
    std::uint64_t v = 0;
    switch (static_cast<wire_type>(tag & 7u)) {
      case wire_type::varint:
        return read_varint(p, end, v);
      case wire_type::bytes:
        p = read_varint(p, end, v);
        return p == nullptr || v > static_cast<std::uint64_t>(end - p) ? nullptr : p + v;
      case wire_type::fixed64:
        return end - p < 8 ? nullptr : p + 8;
      case wire_type::fixed32:
        return end - p < 4 ? nullptr : p + 4;
      default:
        return nullptr;
    }
  }
  [[gnu::always_inline]] bool damage() {
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
