#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <memory>
#include <optional>

#include "server/core/byte_budget.hpp"

namespace profile_relay::server {

/// Lets a coroutine wait until another thread has something for it. `notify` runs on the coroutine's own
/// thread.
class session_signal {
 public:
  explicit session_signal(boost::asio::any_io_executor ex) : timer_(std::move(ex)) {}

  boost::asio::any_io_executor executor() { return timer_.get_executor(); }
  void notify() { timer_.cancel(); }
  /// Returns at `notify` or `until`; the caller looks at what it waits for, before and after.
  boost::asio::awaitable<void> wait(boost::asio::steady_timer::time_point until) {
    timer_.expires_at(until);
    co_await timer_.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
  }

 private:
  boost::asio::steady_timer timer_;
};

/// Waits for `bytes` of the budget, at most `patience`. Absent = not granted in time, or more than there is.
boost::asio::awaitable<std::optional<byte_lease>> wait_for_bytes(byte_budget& budget, std::uint64_t bytes,
                                                                 lease_for what,
                                                                 std::chrono::milliseconds patience);

}  // namespace profile_relay::server
