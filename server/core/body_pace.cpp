#include "server/core/body_pace.hpp"

#include <algorithm>

namespace profile_relay::server {

body_pace::body_pace(std::uint64_t min_rate, std::chrono::milliseconds window) {
  if (min_rate == 0) return;
  window_ = window;
  auto const ms = static_cast<std::uint64_t>(window.count());
  block_ = std::max<std::uint64_t>(1, min_rate / 1'000 * ms + min_rate % 1'000 * ms / 1'000);
}

void body_pace::waited(duration time) { waited_ += std::min(time, patience()); }

void body_pace::received(std::uint64_t bytes) {
  received_ += bytes;
  if (received_ < block_) return;
  received_ %= block_;
  waited_ = duration::zero();
}

}  // namespace profile_relay::server
