#include "server/io/session.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "server/io/http_wire.hpp"

namespace profile_relay::server {

namespace asio = boost::asio;

namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
/// Heads, chunk headers and pieces of bodies pass through here; larger heads are refused by the parser. Not filled with
/// zeros: a plain body goes straight to its own place, and most of this memory is then never touched.
constexpr std::size_t input_size = 64u << 10;
static_assert(input_size > http_parser::max_head);
/// Of a head at once: what comes behind it is a body, and would have to be copied from here.
constexpr std::size_t head_piece = 4u << 10;
/// Read in a row without a look at the event loop: a client that is fast must not keep the thread from the others.
constexpr std::size_t eager_limit = 256u << 10;

}  // namespace

void session_loop::sweep(std::chrono::steady_clock::time_point now) {
  for (auto* s : sessions)
    if (s->deadline_ <= now && !s->expired_) s->expire();
}

void session_loop::drain() {
  draining = true;
  for (auto* s : sessions) {
    if (s->idle_) s->expire();
    if (s->lingering_) s->deadline_ = std::min(s->deadline_, session::clock::now() + options.linger_timeout);
  }
}

void session_loop::abort() {
  for (auto* s : sessions) {
    boost::system::error_code ignored;
    s->socket_.close(ignored);
  }
}

session::session(asio::ip::tcp::socket socket, asio::ip::tcp::endpoint const& peer, connection_place place,
                 session_loop& loop, http_endpoint endpoint)
    : counted_(std::move(place)),
      socket_(std::move(socket)),
      loop_(loop),
      endpoint_(endpoint),
      peer_(peer.address().to_string()),
      in_(std::make_unique_for_overwrite<std::byte[]>(input_size)) {
  place_ = loop_.sessions.insert(loop_.sessions.end(), this);
  boost::system::error_code ec;
  socket_.set_option(asio::ip::tcp::no_delay(true), ec);
  socket_.non_blocking(true, ec);
  allow(loop_.options.header_timeout);
}

session::~session() { loop_.sessions.erase(place_); }

void session::start() {
  asio::co_spawn(
      loop_.context, [self = shared_from_this()] { return self->run(); }, asio::detached);
}

void session::expire() {
  expired_ = true;
  boost::system::error_code ignored;
  socket_.cancel(ignored);
}

session::read_result session::classify(boost::system::error_code const& ec) const {
  if (!ec) return read_result::ok;
  return expired_ ? read_result::expired : read_result::closed;
}

void session::consume(std::size_t n) {
  in_begin_ += n;
  if (in_begin_ == in_end_) in_begin_ = in_end_ = 0;
}

session::awaitable<session::read_result> session::read_more(std::size_t at_most) {
  if (in_begin_ > 0 && in_end_ == input_size) {
    std::copy(in_.get() + in_begin_, in_.get() + in_end_, in_.get());
    in_end_ -= in_begin_;
    in_begin_ = 0;
  }
  std::size_t n = 0;
  auto const r = co_await read_into({in_.get() + in_end_, std::min(input_size - in_end_, at_most)}, n);
  in_end_ += n;
  co_return r;
}

/// `likely_there`: asks the socket before the event loop, so that what has arrived costs no turn of the loop.
session::awaitable<session::read_result> session::read_into(std::span<std::byte> room, std::size_t& n,
                                                            bool likely_there) {
  n = 0;
  // A full input buffer that nobody can use: no request of ours looks like that.
  if (room.empty()) co_return read_result::closed;
  // Asio takes the end of input for "nothing more until the next event", and there is none: a second read would hang.
  if (input_ended_) co_return read_result::closed;
  if (likely_there && eager_bytes_ < eager_limit && !expired_) {
    boost::system::error_code ec;
    n = socket_.read_some(asio::buffer(room.data(), room.size()), ec);
    eager_bytes_ += n;
    if (ec != asio::error::would_block) {
      input_ended_ = ec == asio::error::eof;
      co_return classify(ec);
    }
  }
  eager_bytes_ = 0;
  auto const [ec, got] = co_await socket_.async_read_some(asio::buffer(room.data(), room.size()), as_result);
  n = got;
  input_ended_ = ec == asio::error::eof;
  co_return classify(ec);
}

session::awaitable<bool> session::write(std::string_view bytes) {
  allow(loop_.options.body_timeout);
  // Most replies fit in the socket's buffer: nobody needs to wait for the event loop.
  boost::system::error_code failed;
  auto const sent = socket_.write_some(asio::buffer(bytes.data(), bytes.size()), failed);
  if (failed && failed != asio::error::would_block) co_return false;
  if (sent == bytes.size()) co_return true;
  bytes.remove_prefix(sent);
  auto const [ec, n] =
      co_await asio::async_write(socket_, asio::buffer(bytes.data(), bytes.size()), as_result);
  co_return !ec && n == bytes.size();
}

session::awaitable<bool> session::send(http_reply const& reply) {
  auto const& head = parser_.head();
  // What is left of a small body is cheaper to read than a new connection is to make.
  bool const discard =
      !rest_.complete && !rest_.asked && rest_.remaining > 0 && rest_.remaining <= input_size;
  bool const keep = head.keep_alive && !loop_.draining && !input_ended_ && (rest_.complete || discard) &&
                    reply.status != 408;
  auto const wire = to_wire(reply, {keep, head.method == "HEAD", head.http10});
  std::chrono::duration<double> const took = clock::now() - started_;
  loop_.services.counted.request(reply.status, took.count());
  if (reply.refused_by) loop_.services.counted.request_rejected(*reply.refused_by);
  if (!co_await write(wire)) co_return false;
  if (!keep) {
    bool const patient = known_ && !rest_.complete && reply.status != 408 && !loop_.draining;
    co_await linger(patient);
    co_return false;
  }
  if (rest_.complete) co_return true;
  co_return co_await discard_rest();
}

session::awaitable<bool> session::discard_rest() {
  // For all of it: no reply waits behind it, so nothing is lost when it does not come.
  allow(loop_.options.body_timeout);
  while (rest_.remaining > 0) {
    auto const n = std::min<std::uint64_t>(rest_.remaining, pending_input().size());
    consume(static_cast<std::size_t>(n));
    rest_.remaining -= n;
    if (rest_.remaining == 0) break;
    if (co_await read_more(input_size) != read_result::ok) co_return false;
  }
  co_return true;
}

/// Closing while the client still sends would reset the connection and take the reply with it. Time bounds this, not
/// bytes, which contract 13 would allow to count: most clients write their whole body before they read, however early the
/// reply was, and what is discarded takes no memory. A second, for strangers; `patient` is for the clients of a project,
/// who may go on for as long as a pause in a body may take: a phone needs longer than a second for a body that is refused
/// for its size, and an SDK that saw a reset would send it all again.
session::awaitable<void> session::linger(bool patient) {
  boost::system::error_code ec;
  socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ec);
  // Also after a whole request: the next may be on its way when it is us who end the connection (RFC 9112, 9.6).
  if (ec || input_ended_) co_return;
  lingering_ = true;
  allow(patient ? std::max(loop_.options.body_timeout, loop_.options.linger_timeout)
                : loop_.options.linger_timeout);
  while (!expired_) {
    in_begin_ = in_end_ = 0;
    if (co_await read_more(input_size) != read_result::ok) co_return;
  }
}

session::awaitable<void> session::run() {
  try {
    while (co_await serve_one()) {
    }
  } catch (std::exception const& e) {
    log(log_level::error, "a connection failed inside the server", {{"cause", e.what()}});
  }
  boost::system::error_code ignored;
  socket_.close(ignored);
}

session::awaitable<bool> session::serve_one() {
  idle_ = true;
  known_ = false;
  parser_.reset();
  rest_ = {};
  if (!co_await read_head()) co_return false;
  http_reply reply;
  bool failed = false;
  try {
    reply = co_await answer();
  } catch (std::exception const& e) {
    log(log_level::error, "a request failed inside the server", {{"cause", e.what()}});
    failed = true;
  }
  if (failed) reply = error_reply(reason::internal);
  who_ = nullptr;
  decoder_.reset();
  lease_.release();
  if (body_.capacity() > input_size) body_ = {};
  co_return co_await send(reply);
}

/// True when a request's head is there to be answered; otherwise the connection is done with.
session::awaitable<bool> session::read_head() {
  auto const& o = loop_.options;
  if (pending_input().empty()) {
    if (loop_.draining) co_return false;
    allow(o.keepalive_timeout);
    if (co_await read_more(head_piece) != read_result::ok) co_return false;
  }
  idle_ = false;
  started_ = clock::now();
  allow(o.header_timeout);
  for (;;) {
    auto const step = parser_.parse_head(pending_input());
    consume(step.consumed);
    if (step.now == http_parser::state::head) co_return true;
    rest_ = {0, false, false};  // where this request would end is unknown
    if (step.now == http_parser::state::malformed) {
      co_await send(error_reply(reason::bad_request));
      co_return false;
    }
    auto const r = co_await read_more(head_piece);
    if (r == read_result::expired) co_await send(error_reply(reason::timeout_header));
    if (r != read_result::ok) co_return false;
  }
}

session::awaitable<http_reply> session::answer() {
  using kind = http_route::kind;
  auto const& head = parser_.head();
  rest_ = {head.content_length, !head.has_body(), head.expect_continue && head.has_body()};
  auto const route = find_route(head.target, endpoint_);
  if (route.what == kind::unknown) co_return error_reply(reason::route_not_found);
  if (route.what == kind::not_served) co_return error_reply(reason::route_not_served);
  if (route.what == kind::envelope && head.method == "POST") co_return co_await take_envelope(route);
  if (route.what == kind::envelope && head.method == "OPTIONS") {
    http_reply preflight;
    preflight.allow = allowed_methods(route.what);
    co_return preflight;
  }
  if (route.what != kind::envelope && (head.method == "GET" || head.method == "HEAD"))
    co_return answer_get(route.what);
  auto refused = error_reply(reason::method_not_allowed);
  refused.allow = allowed_methods(route.what);
  co_return refused;
}

http_reply session::answer_get(http_route::kind what) {
  http_reply out;
  if (what == http_route::kind::metrics) {
    out.content_type = "text/plain; version=0.0.4; charset=utf-8";
    out.body = loop_.services.render_metrics();
  } else if (what == http_route::kind::live) {
    out.body = R"({"is_healthy":true})";
  } else {
    auto const r = loop_.services.readiness_now();
    out.status = r.ready ? 200 : 503;
    out.body = to_json(r);
  }
  return out;
}

}  // namespace profile_relay::server
