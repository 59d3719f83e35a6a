#include "server/io/text_table.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ostream>

namespace profile_relay::server {

std::string with_commas(std::uint64_t n) {
  auto out = std::to_string(n);
  for (std::size_t at = out.size(); at > 3;) out.insert(at -= 3, 1, ',');
  return out;
}

std::string human_bytes(std::uint64_t n) {
  if (n < 1024) return with_commas(n) + (n == 1 ? " byte" : " bytes");
  constexpr std::array<const char*, 4> units{"KiB", "MiB", "GiB", "TiB"};
  auto value = static_cast<double>(n) / 1024;
  std::size_t unit = 0;
  for (; value >= 1024 && unit + 1 < units.size(); ++unit) value /= 1024;
  char text[32];
  std::snprintf(text, sizeof text, "%.2f %s", value, units[unit]);
  return text;
}

std::string seconds(std::int64_t ns) {
  // Cut to the millisecond, not rounded: integers only, so that a reading near 2^63 stays what it is.
  auto const magnitude = ns < 0 ? 0 - static_cast<std::uint64_t>(ns) : static_cast<std::uint64_t>(ns);
  char text[8];
  std::snprintf(text, sizeof text, ".%03u", static_cast<unsigned>(magnitude / 1'000'000 % 1'000));
  return (ns < 0 ? "-" : "") + with_commas(magnitude / 1'000'000'000) + text + " s";
}

std::string printable(std::string_view text) {
  std::string out;
  for (char c : text) out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
  return out;
}

text_table::text_table(std::vector<std::string> headings) : headings_(std::move(headings)) {
  for (auto& h : headings_) {
    right_.push_back(h.starts_with('>'));
    if (right_.back()) h.erase(0, 1);
  }
}

void text_table::print(std::ostream& out, std::size_t cap) const {
  auto const shown = cap == 0 ? rows_.size() : std::min(cap, rows_.size());
  std::vector<std::size_t> widths;
  for (auto const& h : headings_) widths.push_back(h.size());
  for (std::size_t r = 0; r < shown; ++r)
    for (std::size_t c = 0; c < widths.size(); ++c) widths[c] = std::max(widths[c], rows_[r][c].size());
  auto const line = [&](std::vector<std::string> const& cells) {
    std::string text = "  ";
    for (std::size_t c = 0; c < widths.size(); ++c) {
      std::string const space(widths[c] - cells[c].size(), ' ');
      text += right_[c] ? space + cells[c] : cells[c] + space;
      text += "  ";
    }
    out << text.substr(0, text.find_last_not_of(' ') + 1) << '\n';
  };
  line(headings_);
  for (std::size_t r = 0; r < shown; ++r) line(rows_[r]);
  if (shown < rows_.size())
    out << "  ... and " << with_commas(rows_.size() - shown) << " more (--all shows them)\n";
}

}  // namespace profile_relay::server
