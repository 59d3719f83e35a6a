#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace profile_relay::perfetto_decode {

using byte_span = std::span<const std::byte>;

enum class wire_type : std::uint8_t { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };

/// Reads one varint at `p`. Returns the byte after it, or nullptr when it runs past `end` or past ten bytes.
/// Bits above the 64th are dropped, as protobuf's own readers do.
inline const std::byte* read_varint(const std::byte* p, const std::byte* end, std::uint64_t& out) {
  if (p != end && (static_cast<std::uint8_t>(*p) & 0x80u) == 0) {
    out = static_cast<std::uint8_t>(*p);
    return p + 1;
  }
  std::uint64_t value = 0;
  const std::byte* const limit = end - p > 10 ? p + 10 : end;
  for (unsigned shift = 0; p != limit; shift += 7) {
    auto const b = static_cast<std::uint8_t>(*p++);
    value |= static_cast<std::uint64_t>(b & 0x7fu) << shift;
    if ((b & 0x80u) == 0) {
      out = value;
      return p;
    }
  }
  return nullptr;
}

/// Walks the fields of one protobuf message, one level deep, without copying.
/// Refuses (next() is false and ok() is false) a tag with field number 0, groups, unknown wire types, and
/// anything that reaches past the end. It never reads outside the span; the fuzzer of the wire reader backs
/// that.
class wire_reader {
 public:
  explicit wire_reader(byte_span message) : p_(message.data()), end_(p_ + message.size()) {}

  /// Moves to the next field. False at the end, and at damage.
  bool next() {
    if (p_ == end_) return false;
    std::uint64_t tag = 0;
    const std::byte* p = read_varint(p_, end_, tag);
    if (p == nullptr || tag > 0xffff'ffffu || tag < 8) return damage();
    number_ = static_cast<std::uint32_t>(tag >> 3);
    switch (tag & 7u) {
      case 0:
        type_ = wire_type::varint;
        p = read_varint(p, end_, value_);
        if (p == nullptr) return damage();
        break;
      case 1:
        type_ = wire_type::fixed64;
        if (end_ - p < 8) return damage();
        p += 8;
        break;
      case 2:
        type_ = wire_type::bytes;
        p = read_varint(p, end_, value_);
        if (p == nullptr || value_ > static_cast<std::uint64_t>(end_ - p)) return damage();
        data_ = p;
        p += value_;
        break;
      case 5:
        type_ = wire_type::fixed32;
        if (end_ - p < 4) return damage();
        p += 4;
        break;
      default:
        return damage();
    }
    p_ = p;
    return true;
  }

  std::uint32_t number() const { return number_; }
  wire_type type() const { return type_; }
  bool is_varint() const { return type_ == wire_type::varint; }
  bool is_bytes() const { return type_ == wire_type::bytes; }
  std::uint64_t value() const { return value_; }  ///< of a varint
  byte_span bytes() const {
    return {data_, static_cast<std::size_t>(value_)};
  }                                ///< of a length-delimited field
  bool ok() const { return ok_; }  ///< false once damage was met
  const std::byte* position() const { return p_; }

 private:
  bool damage() {
    ok_ = false;
    return false;
  }

  const std::byte* p_;
  const std::byte* end_;
  const std::byte* data_ = nullptr;
  std::uint64_t value_ = 0;
  std::uint32_t number_ = 0;
  wire_type type_ = wire_type::varint;
  bool ok_ = true;
};

/// Yields the values of one repeated integer field of a message in order, packed or not, without storing
/// them.
class repeated_varint {
 public:
  repeated_varint(byte_span message, std::uint32_t field) : reader_(message), field_(field) {}

  /// False when there are no more values (or the message is damaged there).
  bool next(std::uint64_t& out) {
    for (;;) {
      if (packed_ != packed_end_) {
        const std::byte* p = read_varint(packed_, packed_end_, out);
        if (p != nullptr) {
          packed_ = p;
          return true;
        }
        packed_ = packed_end_;
      }
      if (!reader_.next()) return false;
      if (reader_.number() != field_) continue;
      if (reader_.is_varint()) {
        out = reader_.value();
        return true;
      }
      if (reader_.is_bytes()) {
        packed_ = reader_.bytes().data();
        packed_end_ = packed_ + reader_.bytes().size();
      }
    }
  }

 private:
  wire_reader reader_;
  std::uint32_t field_;
  const std::byte* packed_ = nullptr;
  const std::byte* packed_end_ = nullptr;
};

}  // namespace profile_relay::perfetto_decode
