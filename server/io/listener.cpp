#include "server/io/listener.hpp"

#include <sys/socket.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace profile_relay::server {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

using reuse_port = asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;

/// How long a loop waits before it tries again to accept: at max_connections, or without file descriptors.
constexpr std::chrono::milliseconds pause{20};

start_error cannot_listen(tcp::endpoint const& endpoint, boost::system::error_code const& ec) {
  if (ec == asio::error::address_in_use) {
    return {"port " + std::to_string(endpoint.port()) + " on " + endpoint.address().to_string() +
            " is in use by another process; set relay.port to a free one"};
  }
  return {"cannot listen on " + to_text(endpoint) + ": " + ec.message()};
}

}  // namespace

std::string to_text(tcp::endpoint const& endpoint) {
  auto const host = endpoint.address().to_string();
  return (endpoint.address().is_v6() ? "[" + host + "]" : host) + ":" + std::to_string(endpoint.port());
}

start_result<tcp::endpoint> resolve(std::string const& host, std::uint16_t port, char const* key) {
  asio::io_context context;
  boost::system::error_code ec;
  auto const found = tcp::resolver(context).resolve(host, std::to_string(port), tcp::resolver::passive, ec);
  if (ec || found.empty())
    return start_error{std::string(key) + ": the address " + host + " is unknown: " + ec.message()};
  return found.begin()->endpoint();
}

start_result<void> check_free(tcp::endpoint const& endpoint) {
  asio::io_context context;
  tcp::acceptor probe(context);
  boost::system::error_code ec;
  probe.open(endpoint.protocol(), ec);
  if (!ec) probe.set_option(tcp::acceptor::reuse_address(true), ec);
  if (!ec) probe.bind(endpoint, ec);
  if (ec) return cannot_listen(endpoint, ec);
  return {};
}

start_result<std::unique_ptr<listener>> listener::open(tcp::endpoint const& endpoint, int backlog,
                                                       session_loop& loop, http_endpoint serves) {
  auto out = std::unique_ptr<listener>(new listener(loop, serves));
  boost::system::error_code ec;
  out->acceptor_.open(endpoint.protocol(), ec);
  if (!ec) out->acceptor_.set_option(tcp::acceptor::reuse_address(true), ec);
  if (!ec) out->acceptor_.set_option(reuse_port(true), ec);
  if (!ec) out->acceptor_.bind(endpoint, ec);
  if (!ec) out->acceptor_.listen(backlog, ec);
  if (ec) return cannot_listen(endpoint, ec);
  return out;
}

void listener::start(std::optional<std::uint32_t> max_connections) {
  asio::co_spawn(loop_.context, run(max_connections), asio::detached);
}

void listener::close() {
  boost::system::error_code ignored;
  acceptor_.close(ignored);
}

asio::awaitable<void> listener::run(std::optional<std::uint32_t> max_connections) {
  constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
  asio::steady_timer timer(loop_.context);
  auto const wait = [&] {
    timer.expires_after(pause);
    return timer.async_wait(as_result);
  };
  // Health must be told also by a server that is full.
  if (serves_ == http_endpoint::internal) max_connections.reset();
  while (acceptor_.is_open()) {
    if (max_connections && loop_.connections >= *max_connections) {
      co_await wait();
      continue;
    }
    tcp::socket socket(loop_.context);
    // Asked for here: once the client has reset the connection, its socket does not know it any more.
    tcp::endpoint peer;
    auto const [ec] = co_await acceptor_.async_accept(socket, peer, as_result);
    if (ec == asio::error::operation_aborted) co_return;
    if (ec) {
      co_await wait();
      continue;
    }
    // All loops wait in accept at once: who comes second to the last place waits with its connection in hand.
    auto place = connection_place::take(loop_.connections, max_connections);
    for (; !place && acceptor_.is_open(); place = connection_place::take(loop_.connections, max_connections))
      co_await wait();
    if (!place) co_return;
    try {
      std::make_shared<session>(std::move(socket), peer, std::move(*place), loop_, serves_)->start();
    } catch (std::exception const& e) {
      log(log_level::error, "a connection could not be served", {{"cause", e.what()}});
    }
  }
}

}  // namespace profile_relay::server
