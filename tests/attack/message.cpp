#include "message.hpp"

namespace attack {

void put_varint(std::string& to, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) to += static_cast<char>((value & 0x7fu) | 0x80u);
  to += static_cast<char>(value);
}

message& message::packed(std::uint32_t field, std::span<const std::uint64_t> values) {
  std::string all;
  for (auto const v : values) put_varint(all, v);
  return text(field, all);
}

message& message::each(std::uint32_t field, std::span<const std::uint64_t> values) {
  for (auto const v : values) num(field, v);
  return *this;
}

}  // namespace attack
