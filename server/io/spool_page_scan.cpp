// https://www.sqlite.org/fileformat2.html#b_tree_pages
#include "server/io/spool_page_scan.hpp"

#include <algorithm>
#include <string_view>

#include "server/io/spool_rows.hpp"

namespace profile_relay::server {
namespace {

constexpr std::uint64_t usable = spool_page_size;
constexpr std::uint64_t most_local = usable - 35, least_local = (usable - 12) * 32 / 255 - 23;
constexpr char leaf_of_table = 0x0d;

std::uint64_t big_endian(std::string_view s, std::size_t at, std::size_t n) {
  std::uint64_t v = 0;
  for (std::size_t i = 0; i < n; ++i) v = v << 8U | static_cast<unsigned char>(s[at + i]);
  return v;
}

/// SQLite's varint: up to nine bytes, the first eight with seven bits each. Absent at the end of `s`.
std::optional<std::uint64_t> take_varint(std::string_view& s) {
  std::uint64_t v = 0;
  for (std::size_t i = 0; i < 9 && i < s.size(); ++i) {
    auto const b = static_cast<unsigned char>(s[i]);
    v = i == 8 ? v << 8U | b : v << 7U | (b & 0x7fU);
    if (i == 8 || b < 0x80) {
      s.remove_prefix(i + 1);
      return v;
    }
  }
  return std::nullopt;
}

/// A row of `bodies`: NULL for the key, an integer, a blob. Absent = another table's, or none.
std::optional<std::pair<std::int64_t, std::string>> body_of_payload(std::string const& payload) {
  std::string_view rest = payload;
  auto const header_size = take_varint(rest);
  if (!header_size || *header_size > payload.size()) return std::nullopt;
  auto header = std::string_view(payload).substr(payload.size() - rest.size(),
                                                 *header_size - (payload.size() - rest.size()));
  auto const key = take_varint(header), sum = take_varint(header), value = take_varint(header);
  if (!key || !sum || !value || !header.empty() || *key != 0) return std::nullopt;
  static constexpr std::size_t widths[] = {0, 1, 2, 3, 4, 6, 8, 0, 0, 0};
  if (*sum == 0 || *sum == 7 || *sum > 9 || *value < 12 || *value % 2 != 0) return std::nullopt;
  auto const width = widths[*sum];
  auto const data = std::string_view(payload).substr(*header_size);
  if (data.size() != width + (*value - 12) / 2) return std::nullopt;
  // Sums have 32 bits and are not negative, so no sign to extend.
  auto const stored = *sum == 9 ? 1 : static_cast<std::int64_t>(big_endian(data, 0, width));
  return std::pair(stored, std::string(data.substr(width)));
}

}  // namespace

spool_page_scan::spool_page_scan(std::filesystem::path const& database) : in_(database, std::ios::binary) {
  std::string page;
  for (std::uint32_t number = 2; read_page(number, page); ++number) {
    pages_ = number;
    if (page[0] != leaf_of_table) continue;
    auto const n = big_endian(page, 3, 2);
    for (std::size_t i = 0; i < n && 10 + 2 * i <= usable; ++i) {
      auto const at = big_endian(page, 8 + 2 * i, 2);
      if (at >= usable) continue;
      auto cell_bytes = std::string_view(page).substr(at);
      auto const size = take_varint(cell_bytes);
      auto const key = take_varint(cell_bytes);
      if (size && key)
        cells_.push_back({static_cast<std::int64_t>(*key), number, static_cast<std::uint16_t>(at)});
    }
  }
  std::stable_sort(cells_.begin(), cells_.end(), [](cell const& a, cell const& b) { return a.key < b.key; });
}

bool spool_page_scan::read_page(std::uint32_t number, std::string& page) {
  page.resize(usable);
  in_.clear();
  in_.seekg(static_cast<std::streamoff>((number - 1) * usable));
  in_.read(page.data(), static_cast<std::streamsize>(usable));
  return static_cast<std::uint64_t>(in_.gcount()) == usable;
}

std::optional<std::string> spool_page_scan::assemble(cell const& c) {
  std::string page;
  if (!read_page(c.page, page)) return std::nullopt;
  auto rest = std::string_view(page).substr(c.at);
  auto const size = take_varint(rest).value_or(0);
  if (!take_varint(rest)) return std::nullopt;
  if (size > pages_ * usable) return std::nullopt;
  auto local = size;
  if (size > most_local) {
    auto const k = least_local + (size - least_local) % (usable - 4);
    local = k <= most_local ? k : least_local;
  }
  if (rest.size() < local + (local < size ? 4 : 0)) return std::nullopt;
  std::string payload(rest.substr(0, local));
  auto next = local < size ? big_endian(rest, local, 4) : 0;
  while (payload.size() < size) {
    std::string overflow;
    if (next < 2 || !read_page(static_cast<std::uint32_t>(next), overflow)) return std::nullopt;
    payload.append(overflow, 4, std::min<std::size_t>(size - payload.size(), usable - 4));
    next = big_endian(overflow, 0, 4);
  }
  auto body = body_of_payload(payload);
  if (!body || body->first != sum_of_body(body->second)) return std::nullopt;
  return std::move(body->second);
}

std::optional<std::string> spool_page_scan::body(std::int64_t key) {
  auto it = std::lower_bound(cells_.begin(), cells_.end(), key,
                             [](cell const& c, std::int64_t k) { return c.key < k; });
  for (; it != cells_.end() && it->key == key; ++it)
    if (auto found = assemble(*it)) return found;
  return std::nullopt;
}

}  // namespace profile_relay::server
