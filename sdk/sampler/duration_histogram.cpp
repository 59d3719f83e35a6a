#include "sdk/sampler/duration_histogram.hpp"

#include <bit>

namespace profile_relay::sdk {
namespace {

// Below 8 ns each has a bucket of its own; then the three bits after the highest choose among eight.
std::size_t bucket_of(std::uint32_t ns) {
  if (ns < 8) return ns;
  auto const shift = static_cast<unsigned>(std::bit_width(ns)) - 4;
  return 8 * shift + (ns >> shift);
}

std::uint64_t end_of(std::size_t bucket) {
  if (bucket < 8) return bucket;
  auto const shift = bucket / 8 - 1;
  return ((std::uint64_t{bucket % 8 + 8} + 1) << shift) - 1;
}

}  // namespace

void duration_histogram::add(std::uint32_t ns) {
  ++buckets_[bucket_of(ns)];
  ++count_;
  total_ += ns;
}

std::uint64_t duration_histogram::quantile(double part) const {
  auto const rank = part * static_cast<double>(count_);
  std::uint64_t below = 0;
  for (std::size_t i = 0; i < buckets_.size(); ++i) {
    below += buckets_[i];
    if (buckets_[i] != 0 && static_cast<double>(below) >= rank) return end_of(i);
  }
  return 0;
}

}  // namespace profile_relay::sdk
