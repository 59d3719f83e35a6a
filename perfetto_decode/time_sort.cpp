#include "perfetto_decode/time_sort.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <utility>

namespace profile_relay::perfetto_decode {
namespace {

bool earlier(time_key const& a, time_key const& b) { return a.time < b.time; }

/// Radix sort, least digit first. The result is in `from` again after an even number of passes, else in `to`.
template <unsigned digit_bits>
void radix_sort(std::span<time_key> from, std::span<time_key> to, std::uint64_t base, unsigned bits) {
  auto* const home = from.data();
  for (unsigned shift = 0; shift < bits; shift += digit_bits) {
    auto const digit = [&](time_key const& k) {
      return ((static_cast<std::uint64_t>(k.time) - base) >> shift) & ((std::uint64_t{1} << digit_bits) - 1);
    };
    std::array<std::uint32_t, std::size_t{1} << digit_bits> at{};
    for (auto const& k : from) ++at[digit(k)];
    std::uint32_t sum = 0;
    for (auto& n : at) sum += std::exchange(n, sum);
    for (auto const& k : from) to[at[digit(k)]++] = k;
    std::swap(from, to);
  }
  if (from.data() != home) std::copy(from.begin(), from.end(), to.begin());
}

}  // namespace

void sort_by_time(std::span<time_key> keys, std::span<time_key> scratch) {
  if (std::is_sorted(keys.begin(), keys.end(), earlier)) return;
  // The counters of a pass cost as much as sorting some hundred keys by comparison.
  if (keys.size() < 256) {
    std::stable_sort(keys.begin(), keys.end(), earlier);
    return;
  }
  auto low = keys.front().time, high = low;
  for (auto const& k : keys) {
    low = std::min(low, k.time);
    high = std::max(high, k.time);
  }
  auto const base = static_cast<std::uint64_t>(low);
  auto const bits = static_cast<unsigned>(std::bit_width(static_cast<std::uint64_t>(high) - base));
  if (keys.size() < 16'384)
    radix_sort<9>(keys, scratch.first(keys.size()), base, bits);
  else
    radix_sort<12>(keys, scratch.first(keys.size()), base, bits);
}

}  // namespace profile_relay::perfetto_decode
