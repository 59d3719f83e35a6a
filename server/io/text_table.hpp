#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

namespace profile_relay::server {

/// 1234567 -> "1,234,567".
std::string with_commas(std::uint64_t n);
/// Bytes for people: "2.43 MiB".
std::string human_bytes(std::uint64_t n);
/// Nanoseconds as seconds: "7.800 s".
std::string seconds(std::int64_t ns);
/// Without control characters, for terminals.
std::string printable(std::string_view text);

/// Columns as wide as their widest cell; the last column of text is not padded.
class text_table {
 public:
  /// A heading that starts with ">" is right-aligned (numbers), as are its cells.
  explicit text_table(std::vector<std::string> headings);

  void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  bool empty() const { return rows_.empty(); }
  /// At most `cap` rows, then how many more there are. `cap` 0 = all.
  void print(std::ostream& out, std::size_t cap) const;

 private:
  std::vector<std::string> headings_;
  std::vector<bool> right_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace profile_relay::server
