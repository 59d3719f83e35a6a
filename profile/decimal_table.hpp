#pragma once

#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

namespace profile_relay::profile {

/// "00" to "99": integers are written two digits at a time.
inline constexpr auto digit_pairs = [] {
  std::array<char, 200> t{};
  for (std::size_t i = 0; i < 100; ++i) {
    t[2 * i] = static_cast<char>('0' + i / 10);
    t[2 * i + 1] = static_cast<char>('0' + i % 10);
  }
  return t;
}();

/// Writes `v` and returns the end; needs room for 10 characters.
inline char* write_decimal(char* to, std::uint32_t v) {
  int size = 1;
  for (auto rest = v; rest >= 10; rest /= 10) ++size;
  char* at = to + size;
  for (; v >= 100; v /= 100) std::memcpy(at -= 2, &digit_pairs[2 * (v % 100)], 2);
  if (v >= 10) {
    std::memcpy(to, &digit_pairs[2 * v], 2);
  } else {
    *to = static_cast<char>('0' + v);
  }
  return to + size;
}

/// The texts "0," to "n-1,", for indices that are written many times: one 8-byte store each.
class decimal_table {
 public:
  static constexpr std::size_t max_size = 10'000'000;  ///< seven digits and a comma fill eight bytes

  explicit decimal_table(std::size_t n) : entries_(n < max_size ? n : max_size) {
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      char text[11];
      char* end = write_decimal(text, static_cast<std::uint32_t>(i));
      *end++ = ',';
      entries_[i].size = static_cast<std::uint8_t>(end - text);
      std::memcpy(entries_[i].text, text, sizeof entries_[i].text);
    }
  }

  /// Writes `v` and a comma and returns the end; needs room for 11 characters.
  char* write(char* to, std::uint32_t v) const {
    if (v >= entries_.size()) {
      to = write_decimal(to, v);
      *to++ = ',';
      return to;
    }
    std::memcpy(to, entries_[v].text, sizeof entries_[v].text);
    return to + entries_[v].size;
  }

 private:
  struct entry {
    char text[8];
    std::uint8_t size;
  };
  std::vector<entry> entries_;
};

}  // namespace profile_relay::profile
