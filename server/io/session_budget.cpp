#include "server/io/session_budget.hpp"

#include <boost/asio/this_coro.hpp>

namespace profile_relay::server {

namespace asio = boost::asio;

namespace {

struct grant {
  explicit grant(asio::any_io_executor ex) : signal(std::move(ex)) {}
  session_signal signal;
  std::optional<byte_lease> lease;
};

}  // namespace

asio::awaitable<std::optional<byte_lease>> wait_for_bytes(byte_budget& budget, std::uint64_t bytes,
                                                          lease_for what,
                                                          std::chrono::milliseconds patience) {
  if (bytes > budget.ceiling(what)) co_return std::nullopt;
  auto const ex = co_await asio::this_coro::executor;
  auto state = std::make_shared<grant>(ex);
  auto const ticket = budget.wait(bytes, what, [state](byte_lease l) {
    asio::post(state->signal.executor(), [state, lease = std::move(l)]() mutable {
      state->lease = std::move(lease);
      state->signal.notify();
    });
  });
  auto const until = std::chrono::steady_clock::now() + patience;
  while (!state->lease && std::chrono::steady_clock::now() < until) co_await state->signal.wait(until);
  if (!state->lease && budget.cancel(ticket)) co_return std::nullopt;
  // Not cancelled any more: the lease is on its way to this thread.
  while (!state->lease) co_await state->signal.wait(asio::steady_timer::time_point::max());
  co_return std::move(state->lease);
}

}  // namespace profile_relay::server
