#pragma once

#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/thread_pool.hpp>
#include <chrono>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "server/core/body_pace.hpp"
#include "server/io/connection_place.hpp"
#include "server/io/content_decoder.hpp"
#include "server/io/http_exchange.hpp"
#include "server/io/http_parser.hpp"
#include "server/io/http_peer.hpp"
#include "server/io/http_route.hpp"
#include "server/io/http_services.hpp"
#include "server/io/session_budget.hpp"

namespace profile_relay::server {

struct session_options {
  std::chrono::milliseconds header_timeout{5'000};
  std::chrono::milliseconds body_timeout{10'000};  ///< without a byte
  std::chrono::milliseconds keepalive_timeout{5'000};
  std::chrono::milliseconds budget_timeout{
      5'000};  ///< how long reading pauses for the byte budget (contract 13)
  std::chrono::milliseconds linger_timeout{1'000};  ///< discarding after an early error (contract 13)
  std::uint64_t min_body_rate = 1u << 10;           ///< see body_pace
  std::chrono::milliseconds body_rate_window{30'000};
  std::size_t max_envelope_size = 200u << 20;
  /// Bodies above this are expanded by the workers, so that this thread keeps answering others meanwhile; so is what
  /// may need more memory than `inline_work`: a small body may be a large trace in packed form.
  std::size_t inline_body = 128u << 10;
  std::size_t inline_work = 2u << 20;
  config::ip_networks proxies;  ///< http.trusted_proxies
};

class session;

/// What the sessions of one I/O thread share. All of it is touched by that thread only.
struct session_loop {
  session_loop(boost::asio::io_context& c, http_services& s, session_options const& o,
               boost::asio::thread_pool& w, std::atomic<std::size_t>& count)
      : context(c), services(s), options(o), workers(w), connections(count) {}

  boost::asio::io_context& context;
  http_services& services;
  session_options const& options;
  boost::asio::thread_pool& workers;
  std::atomic<std::size_t>& connections;  ///< of all loops
  std::list<session*> sessions;
  bool draining = false;

  /// Ends what waits longer than it may. Called a few times a second: cheaper than a timer per operation.
  void sweep(std::chrono::steady_clock::time_point now);
  /// Closes idle connections; the others close after their current request.
  void drain();
  /// Closes all connections at once.
  void abort();
};

/// One connection: reads requests one after the other and writes their replies. Only reads, calls and writes;
/// what a request means is decided by find_route, parse_auth, authorize, http_exchange and reply_to.
class session : public std::enable_shared_from_this<session> {
 public:
  session(boost::asio::ip::tcp::socket socket, boost::asio::ip::tcp::endpoint const& peer,
          connection_place place, session_loop& loop, http_endpoint endpoint);
  ~session();
  /// Runs until the connection ends; keeps itself alive.
  void start();

 private:
  friend struct session_loop;
  template <class T>
  using awaitable = boost::asio::awaitable<T>;
  using clock = std::chrono::steady_clock;

  enum class read_result : std::uint8_t { ok, expired, closed };

  /// What is left of a request's body on the wire.
  struct body_state {
    std::uint64_t remaining = 0;  ///< of Content-Length
    bool complete = true;         ///< nothing is left
    bool asked = false;           ///< the client waits for "100 Continue"
  };

  awaitable<void> run();
  awaitable<bool> serve_one();
  awaitable<bool> read_head();
  awaitable<http_reply> answer();
  http_reply answer_get(http_route::kind what);
  awaitable<http_reply> take_envelope(http_route const& route);
  std::optional<http_reply> identify(http_route const& route, request_identity& who);
  awaitable<std::optional<http_reply>> read_body(request_identity& who);
  awaitable<std::optional<reason>> read_sized();
  awaitable<std::optional<reason>> read_chunked();
  awaitable<std::optional<reason>> more_body(std::span<std::byte> room, std::size_t& n);
  awaitable<std::optional<reason>> feed(std::span<const std::byte> bytes);
  awaitable<std::optional<reason>> feed_coded(std::span<const std::byte> bytes);
  std::optional<reason> look_at_first_line(request_identity& who);
  lease_for input_kind(std::size_t capacity) const;
  std::size_t next_room(std::size_t at_least, std::size_t at_most) const;
  awaitable<std::optional<reason>> make_room(std::size_t capacity);
  awaitable<http_reply> exchange(request_identity who);

  awaitable<read_result> read_more(std::size_t at_most = SIZE_MAX);
  awaitable<read_result> read_into(std::span<std::byte> room, std::size_t& n, bool likely_there = false);
  awaitable<bool> write(std::string_view bytes);
  awaitable<bool> send(http_reply const& reply);
  awaitable<void> linger(bool patient);
  awaitable<bool> discard_rest();

  std::span<const std::byte> pending_input() const { return {in_.get() + in_begin_, in_end_ - in_begin_}; }
  void consume(std::size_t n);
  void allow(clock::duration time) {
    deadline_ = clock::now() + time;
    expired_ = false;
  }
  void expire();
  read_result classify(boost::system::error_code const& ec) const;

  connection_place counted_;
  boost::asio::ip::tcp::socket socket_;
  session_loop& loop_;
  http_endpoint endpoint_;
  std::list<session*>::iterator place_;
  std::string peer_;

  std::unique_ptr<std::byte[]> in_;
  std::size_t in_begin_ = 0, in_end_ = 0;
  std::size_t eager_bytes_ = 0;  // read since the event loop had its turn
  http_parser parser_;
  body_state rest_;
  http_body body_;
  byte_lease lease_;
  std::unique_ptr<content_decoder> decoder_;
  bool decoded_all_ = false;
  body_pace pace_;
  std::uint64_t coded_bytes_ = 0;  // given to decoder_
  bool first_line_seen_ = false;
  request_identity* who_ = nullptr;  // of the request whose body is being read

  bool idle_ = true;    // between requests
  bool known_ = false;  // the request's key has been accepted
  bool lingering_ = false;
  bool expired_ = false;
  bool input_ended_ = false;  // the client has closed its sending half
  clock::time_point deadline_;
  clock::time_point started_;
};

}  // namespace profile_relay::server
