#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/settings.hpp"
#include "server/io/delivery_error.hpp"
#include "server/io/http_services.hpp"

namespace profile_relay::server {

/// Where and how to listen; a test changes what it needs.
struct http_server_options {
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;  ///< 0 = any free one
  std::optional<std::string> internal_host;
  std::optional<std::uint16_t> internal_port;
  std::vector<std::string> trusted_proxies;
  std::size_t threads = 1, workers = 1;
  int backlog = 1024;
  std::optional<std::uint32_t> max_connections;
  std::chrono::milliseconds header_timeout{5'000}, body_timeout{10'000}, keepalive_timeout{5'000};
  std::chrono::milliseconds budget_timeout{5'000}, linger_timeout{1'000};
  std::uint64_t min_body_rate = 1u << 10;  ///< bytes per second, over the window; 0 = none
  std::chrono::milliseconds body_rate_window{30'000};
  std::size_t max_envelope_size = 200u << 20;
  std::size_t inline_body = 128u << 10;  ///< larger bodies are expanded by the workers
};
http_server_options make_http_options(config::settings const& s);

/// The HTTP side: threads that each own an event loop and an acceptor on the same port (the kernel spreads
/// connections), and a pool of workers that expand large bodies, so that health and metrics answer while
/// every core decodes.
///
/// Order of an orderly end: `stop_accepting`, `wait_until_idle`, then delivery's own shutdown, then `stop`.
class http_server {
 public:
  /// Listens when it returns. Errors name the address ("port 3000 on 127.0.0.1 is in use ...").
  static start_result<std::unique_ptr<http_server>> start(http_server_options const& options,
                                                          http_services& services);
  ~http_server();

  std::string address() const;  ///< "127.0.0.1:3000", with the actual port
  std::optional<std::string> internal_address() const;
  std::uint16_t port() const;
  std::size_t connections() const;

  /// Takes no more connections and closes idle ones; the others close after their current request.
  void stop_accepting();
  /// True when no connection is left, false at the deadline.
  bool wait_until_idle(std::chrono::steady_clock::time_point deadline) const;
  /// Closes what is left and joins all threads.
  void stop();

 private:
  struct impl;
  explicit http_server(std::unique_ptr<impl> p);
  std::unique_ptr<impl> impl_;
};

}  // namespace profile_relay::server
