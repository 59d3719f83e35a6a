#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// The part of MessagePack that the chunk message needs, after the specification at msgpack.org.
/// Not a general library: no floats, no signed integers, no extension types.
namespace profile_relay::profile::message_pack {

/// Appends values to `out` in their shortest form.
class writer {
 public:
  explicit writer(std::string& out) : out_(out) {}

  void map_header(std::size_t pairs);       ///< at most 15
  void array_header(std::size_t elements);  ///< at most 65,535
  void uint(std::uint64_t v);
  void str(std::string_view text);  ///< must be UTF-8: consumers refuse the whole message otherwise
  void bin(std::string_view bytes);
  void bin_header(std::size_t size);  ///< the bytes themselves follow from elsewhere

 private:
  void byte(unsigned v) { out_.push_back(static_cast<char>(v)); }
  void big_endian(std::uint64_t v, int bytes);

  std::string& out_;
};

/// Reads values from bytes that may be damaged (they come from disk). Every call returns absent, or false, at
/// the first thing that is not what was asked for; the position is then meaningless.
class reader {
 public:
  explicit reader(std::string_view bytes) : rest_(bytes) {}

  bool at_end() const { return rest_.empty(); }
  std::optional<std::size_t> map_header();
  std::optional<std::uint64_t> uint();
  std::optional<std::string_view> str();
  std::optional<std::string_view> bin();
  /// Steps over one value of the kinds that `writer` writes, nested at most four deep.
  bool skip(int depth = 0);

 private:
  std::optional<std::uint8_t> take_byte();
  std::optional<std::uint64_t> take_big_endian(int bytes);
  std::optional<std::string_view> take(std::size_t size);

  std::string_view rest_;
};

}  // namespace profile_relay::profile::message_pack
