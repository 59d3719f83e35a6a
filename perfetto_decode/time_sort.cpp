#include "perfetto_decode/time_sort.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <utility>
#include <vector>

namespace profile_relay::perfetto_decode {
namespace {

constexpr unsigned digit_bits = 10;
constexpr std::size_t digits = std::size_t{1} << digit_bits;

bool earlier(time_key const& a, time_key const& b) { return a.time < b.time; }

}  // namespace

void sort_by_time(std::span<time_key> keys) {
  if (std::is_sorted(keys.begin(), keys.end(), earlier)) return;
  // The counters of a pass cost as much as sorting some hundred keys by comparison.
  if (keys.size() < 256) {
    std::stable_sort(keys.begin(), keys.end(), earlier);
    return;
  }
  auto const [low, high] = std::minmax_element(keys.begin(), keys.end(), earlier);
  auto const base = static_cast<std::uint64_t>(low->time);
  auto const bits = static_cast<unsigned>(std::bit_width(static_cast<std::uint64_t>(high->time) - base));
  std::vector<time_key> other(keys.size());
  std::span<time_key> from = keys, to = other;
  for (unsigned shift = 0; shift < bits; shift += digit_bits) {
    auto const digit = [&](time_key const& k) {
      return ((static_cast<std::uint64_t>(k.time) - base) >> shift) & (digits - 1);
    };
    std::array<std::uint32_t, digits> at{};
    for (auto const& k : from) ++at[digit(k)];
    std::uint32_t sum = 0;
    for (auto& n : at) sum += std::exchange(n, sum);
    for (auto const& k : from) to[at[digit(k)]++] = k;
    std::swap(from, to);
  }
  if (from.data() != keys.data()) std::copy(from.begin(), from.end(), keys.begin());
}

}  // namespace profile_relay::perfetto_decode
