#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "server/io/delivery_error.hpp"
#include "server/io/session.hpp"

namespace profile_relay::server {

/// The address of a host and port; names are resolved. Errors name both and the configuration key.
start_result<boost::asio::ip::tcp::endpoint> resolve(std::string const& host, std::uint16_t port,
                                                     char const* key);

/// Errors when somebody listens on `endpoint` already. SO_REUSEPORT alone would let a second server of the
/// same user share the port silently.
start_result<void> check_free(boost::asio::ip::tcp::endpoint const& endpoint);

/// "127.0.0.1:3000", "[::1]:3000".
std::string to_text(boost::asio::ip::tcp::endpoint const& endpoint);

/// Accepts connections of one address into one loop.
class listener {
 public:
  static start_result<std::unique_ptr<listener>> open(boost::asio::ip::tcp::endpoint const& endpoint,
                                                      int backlog, session_loop& loop, http_endpoint serves);
  boost::asio::ip::tcp::endpoint local() const { return acceptor_.local_endpoint(); }
  /// The two below on the loop's thread (or before it runs).
  void start(std::optional<std::uint32_t> max_connections);
  void close();

 private:
  listener(session_loop& loop, http_endpoint serves)
      : loop_(loop), serves_(serves), acceptor_(loop.context) {}
  boost::asio::awaitable<void> run(std::optional<std::uint32_t> max_connections);

  session_loop& loop_;
  http_endpoint serves_;
  boost::asio::ip::tcp::acceptor acceptor_;
};

}  // namespace profile_relay::server
