#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

namespace attack {

void put_varint(std::string& to, std::uint64_t value);

/// One protobuf message, written field by field. It checks nothing: hostile input wants fields twice, in any order, and
/// of any size.
class message {
 public:
  message& num(std::uint32_t field, std::uint64_t value) {
    put_varint(bytes_, std::uint64_t{field} << 3);
    put_varint(bytes_, value);
    return *this;
  }
  message& text(std::uint32_t field, std::string_view value) {
    put_varint(bytes_, (std::uint64_t{field} << 3) | 2);
    put_varint(bytes_, value.size());
    bytes_ += value;
    return *this;
  }
  message& sub(std::uint32_t field, message const& value) { return text(field, value.bytes_); }
  message& packed(std::uint32_t field, std::span<const std::uint64_t> values);
  /// The same field once per value.
  message& each(std::uint32_t field, std::span<const std::uint64_t> values);

  std::string const& bytes() const { return bytes_; }
  std::size_t size() const { return bytes_.size(); }
  void clear() { bytes_.clear(); }

 private:
  std::string bytes_;
};

}  // namespace attack
