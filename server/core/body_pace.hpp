#pragma once

#include <chrono>
#include <cstdint>

namespace profile_relay::server {

/// Whether a request body comes fast enough on average (contract 5.5, 408; `limits.min_body_rate`). A bound on single
/// pauses alone would let a client hold a connection, and bytes of the budget, for days by a byte now and then. The rule:
/// every `min_rate * window` bytes of the body may keep the server waiting for `window` in all. It is told how long each
/// read waited, so that pauses of the server's own (the byte budget, decoding) never count against the client. Knows no
/// clock.
class body_pace {
 public:
  using duration = std::chrono::nanoseconds;

  /// Never too slow.
  body_pace() = default;
  /// `min_rate` in bytes per second; 0 = never too slow.
  body_pace(std::uint64_t min_rate, std::chrono::milliseconds window);

  /// How long the next read may wait; 0 = the body is too slow already.
  duration patience() const { return window_ > waited_ ? window_ - waited_ : duration::zero(); }
  bool too_slow() const { return patience() == duration::zero(); }

  /// A read that ended after this time, with or without bytes.
  void waited(duration time);
  /// Bytes of the body as they came over the wire: coded, but without the framing of chunks.
  void received(std::uint64_t bytes);

 private:
  std::uint64_t block_ = 1;  // bytes that pay for one window
  duration window_ = duration::max();
  duration waited_ = duration::zero();  // for the current block
  std::uint64_t received_ = 0;          // of the current block
};

}  // namespace profile_relay::server
