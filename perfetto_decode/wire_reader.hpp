#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace profile_relay::perfetto_decode {

using byte_span = std::span<const std::byte>;

inline std::string_view text_of(byte_span b) { return {reinterpret_cast<const char*>(b.data()), b.size()}; }

enum class wire_type : std::uint8_t { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };

/// A varint and the byte after it; `next` is nullptr when it runs past the end or past ten bytes. In two registers: a value
/// returned through an address would keep a reader's state in memory.
struct varint_end {
  const std::byte* next;
  std::uint64_t value;
};

/// Reads one varint at `p`. Bits above the 64th are dropped, as protobuf's own readers do.
[[gnu::noinline]] inline varint_end read_long_varint(const std::byte* p, const std::byte* end) {
  if (end - p >= 8) {
    // Eight bytes at once: cut after the first byte without its top bit, then push the groups of seven together.
    std::uint64_t w = 0;
    std::memcpy(&w, p, 8);
    std::uint64_t const ends = ~w & 0x8080808080808080u;
    if (ends != 0 && std::endian::native == std::endian::little) {
      w &= ends ^ (ends - 1);
      w = ((w & 0x7f007f007f007f00u) >> 1) | (w & 0x007f007f007f007fu);
      w = ((w & 0x3fff00003fff0000u) >> 2) | (w & 0x00003fff00003fffu);
      w = ((w & 0x0fffffff00000000u) >> 4) | (w & 0x000000000fffffffu);
      return {p + (static_cast<unsigned>(std::countr_zero(ends)) / 8 + 1), w};
    }
  }
  std::uint64_t value = 0;
  const std::byte* const limit = end - p > 10 ? p + 10 : end;
  for (unsigned shift = 0; p != limit; shift += 7) {
    auto const b = static_cast<std::uint8_t>(*p++);
    value |= static_cast<std::uint64_t>(b & 0x7fu) << shift;
    if ((b & 0x80u) == 0) return {p, value};
  }
  return {nullptr, 0};
}

/// The same; varints of one or two bytes, which are most, are read in place. `out` is set on success only.
[[gnu::always_inline]] inline const std::byte* read_varint(const std::byte* p, const std::byte* end,
                                                           std::uint64_t& out) {
  if (p != end && (static_cast<std::uint8_t>(*p) & 0x80u) == 0) {
    out = static_cast<std::uint8_t>(*p);
    return p + 1;
  }
  if (end - p >= 2 && (static_cast<std::uint8_t>(p[1]) & 0x80u) == 0) {
    out = (static_cast<std::uint64_t>(p[0]) & 0x7fu) | (static_cast<std::uint64_t>(p[1]) << 7);
    return p + 2;
  }
  auto const end_of_it = read_long_varint(p, end);
  if (end_of_it.next != nullptr) out = end_of_it.value;
  return end_of_it.next;
}

/// Walks the fields of one protobuf message, one level deep, without copying.
/// Refuses (next() is false and ok() is false) a tag with field number 0, groups, unknown wire types, and
/// anything that reaches past the end. It never reads outside the span; the fuzzer of the wire reader backs
/// that.
class wire_reader {
 public:
  explicit wire_reader(byte_span message) : p_(message.data()), end_(p_ + message.size()) {}

  /// Moves to the next field. False at the end, and at damage.
  [[gnu::always_inline]] bool next() {
    if (p_ == end_) return false;
    std::uint64_t tag = static_cast<std::uint8_t>(*p_);
    const std::byte* p = p_ + 1;
    if ((tag & 0x80u) != 0) {
      // Two bytes hold every field number that packets use; longer tags are read, but slowly.
      if (p != end_ && (static_cast<std::uint8_t>(*p) & 0x80u) == 0) {
        tag = (tag & 0x7fu) | (static_cast<std::uint64_t>(*p) << 7);
        ++p;
      } else {
        p = read_varint(p_, end_, tag);
        if (p == nullptr) return damage();
      }
    }
    number_ = static_cast<std::uint32_t>(tag) >> 3;  // bits above the 32nd are dropped, as protobuf does
    if (number_ == 0) return damage();
    type_ = static_cast<wire_type>(tag & 7u);
    if (type_ == wire_type::varint) {
      p = read_varint(p, end_, value_);
      if (p == nullptr) return damage();
    } else if (type_ == wire_type::bytes) {
      p = read_varint(p, end_, value_);
      if (p == nullptr || value_ > static_cast<std::uint64_t>(end_ - p)) return damage();
      data_ = p;
      p += value_;
    } else if (type_ == wire_type::fixed64 || type_ == wire_type::fixed32) {
      std::ptrdiff_t const size = type_ == wire_type::fixed64 ? 8 : 4;
      if (end_ - p < size) return damage();
      p += size;
    } else {
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
  [[gnu::always_inline]] bool damage() {
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

/// Yields the values of one repeated integer field of a message in order, packed or not, without storing them.
/// Made for fields whose tag fits one byte; those come in long runs (the frames of a callstack).
class repeated_varint {
 public:
  repeated_varint(byte_span message, std::uint32_t field)
      : p_(message.data()),
        end_(p_ + message.size()),
        field_(field),
        tag_(static_cast<std::byte>(field << 3)) {}

  /// For callers that read runs of values by themselves: where the next field begins, when no packed run is open.
  bool between_fields() const { return packed_ == packed_end_; }
  const std::byte* position() const { return p_; }
  void move_to(const std::byte* p) { p_ = p; }

  /// False when there are no more values (or the message is damaged there).
  [[gnu::always_inline]] bool next(std::uint64_t& out) {
    for (;;) {
      if (packed_ != packed_end_) {
        const std::byte* const p = read_varint(packed_, packed_end_, out);
        packed_ = p != nullptr ? p : packed_end_;
        if (p != nullptr) return true;
      }
      if (p_ == end_) return false;
      if (*p_ == tag_) {
        const std::byte* const p = read_varint(p_ + 1, end_, out);
        if (p == nullptr) return false;
        p_ = p;
        return true;
      }
      auto const other = other_field(p_, end_, field_);
      if (other.next == nullptr) return false;
      p_ = other.next;
      packed_ = other.packed;
      packed_end_ = other.packed_end;
    }
  }

 private:
  struct passed {
    const std::byte* next = nullptr;
    const std::byte *packed = nullptr, *packed_end = nullptr;
  };
  // Takes its state as arguments, so that the reader itself can live in registers.
  [[gnu::noinline]] static passed other_field(const std::byte* p, const std::byte* end, std::uint32_t field) {
    wire_reader r(byte_span(p, static_cast<std::size_t>(end - p)));
    if (!r.next()) return {};
    passed out{r.position(), nullptr, nullptr};
    if (r.number() != field) return out;
    if (r.is_bytes()) {
      out.packed = r.bytes().data();
      out.packed_end = out.packed + r.bytes().size();
    } else if (r.is_varint()) {
      // A tag longer than it need be. Its value is a run of one.
      std::uint64_t tag = 0;
      out.packed = read_varint(p, out.next, tag);
      out.packed_end = out.next;
    }
    return out;
  }

  const std::byte* p_;
  const std::byte* end_;
  std::uint32_t field_;
  std::byte tag_;
  const std::byte* packed_ = nullptr;
  const std::byte* packed_end_ = nullptr;
};

}  // namespace profile_relay::perfetto_decode
