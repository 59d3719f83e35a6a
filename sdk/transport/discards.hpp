// Why chunks were thrown away that the server should hear of.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace profile_relay::sdk {

/// The reasons of a client report, under the names that Relay knows.
enum class discard_reason : std::uint8_t {
  send_error,         ///< answered with an error other than 429
  network_error,      ///< no answer, however often it was tried
  queue_overflow,     ///< dropped for newer chunks
  ratelimit_backoff,  ///< not sent because a rate limit holds; a chunk answered with 429 is not reported
};
inline constexpr std::array<std::string_view, 4> discard_names{"send_error", "network_error",
                                                               "queue_overflow", "ratelimit_backoff"};

/// Chunks by reason that no client report has told yet.
struct discard_counts {
  std::array<std::uint64_t, discard_names.size()> by_reason{};

  std::uint64_t& operator[](discard_reason why) { return by_reason[static_cast<std::size_t>(why)]; }
  std::uint64_t operator[](discard_reason why) const { return by_reason[static_cast<std::size_t>(why)]; }
  [[nodiscard]] bool empty() const {
    return std::ranges::all_of(by_reason, [](auto n) { return n == 0; });
  }
  discard_counts& operator+=(discard_counts const& more) {
    for (std::size_t i = 0; i < by_reason.size(); ++i) by_reason[i] += more.by_reason[i];
    return *this;
  }
};

}  // namespace profile_relay::sdk
