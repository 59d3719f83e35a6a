#include "server/io/http_server.hpp"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <thread>

#include "server/io/listener.hpp"
#include "server/io/session.hpp"

namespace profile_relay::server {

namespace asio = boost::asio;

namespace {

/// How exactly deadlines are kept.
constexpr std::chrono::milliseconds sweep_interval{100};

/// One I/O thread and what it owns. Members go in reverse order: sessions may still speak to everything above
/// them.
struct io_thread {
  io_thread(http_services& s, session_options const& o, asio::thread_pool& workers,
            std::atomic<std::size_t>& count)
      : loop(context, s, o, workers, count), timer(context) {}

  void sweep() {
    timer.expires_after(sweep_interval);
    timer.async_wait([this](boost::system::error_code ec) {
      if (ec) return;
      loop.sweep(std::chrono::steady_clock::now());
      sweep();
    });
  }

  session_loop loop;
  asio::io_context context{1};
  asio::steady_timer timer;
  std::vector<std::unique_ptr<listener>> listeners;
  std::thread thread;
};

}  // namespace

http_server_options make_http_options(config::settings const& s) {
  http_server_options o;
  auto const cpus = std::max(1u, std::thread::hardware_concurrency());
  o.host = s.relay.host;
  o.port = s.relay.port;
  o.internal_host = s.relay.internal_host;
  o.internal_port = s.relay.internal_port;
  o.trusted_proxies = s.http.trusted_proxies;
  o.threads = o.workers = s.limits.max_thread_count > 0 ? s.limits.max_thread_count : cpus;
  o.backlog = static_cast<int>(std::min<std::uint32_t>(s.limits.tcp_listen_backlog, 65'535));
  o.max_connections = s.limits.max_connections;
  o.header_timeout = s.limits.header_timeout;
  o.body_timeout = s.limits.body_timeout;
  // Longer than the pause that is allowed, or nobody could take that pause.
  o.body_rate_window = 3 * s.limits.body_timeout;
  o.min_body_rate = s.limits.min_body_rate;
  o.keepalive_timeout = s.limits.keepalive_timeout;
  o.max_envelope_size = s.limits.max_envelope_size;
  return o;
}

struct http_server::impl {
  impl(http_server_options const& o, config::ip_networks proxies) : workers(o.workers) {
    session.header_timeout = o.header_timeout;
    session.body_timeout = o.body_timeout;
    session.keepalive_timeout = o.keepalive_timeout;
    session.budget_timeout = o.budget_timeout;
    session.linger_timeout = o.linger_timeout;
    session.min_body_rate = o.min_body_rate;
    session.body_rate_window = o.body_rate_window;
    session.max_envelope_size = o.max_envelope_size;
    session.inline_body = o.inline_body;
    session.proxies = std::move(proxies);
  }
  ~impl() { stop(); }

  start_result<asio::ip::tcp::endpoint> listen(std::string const& host, std::uint16_t port, char const* key,
                                               http_endpoint serves, http_server_options const& o) {
    auto where = resolve(host, port, key);
    if (!where) return where.error();
    if (auto const is_free = check_free(*where); !is_free) return is_free.error();
    for (auto& t : threads) {
      auto l = listener::open(*where, o.backlog, t->loop, serves);
      if (!l) return l.error();
      // Port 0 becomes a real one with the first listener; the others share it.
      where = (*l)->local();
      t->listeners.push_back(std::move(*l));
    }
    return where;
  }

  void run() {
    for (auto& t : threads) {
      for (auto& l : t->listeners) l->start(max_connections);
      t->sweep();
      t->thread = std::thread([context = &t->context] { context->run(); });
      pthread_setname_np(t->thread.native_handle(), "http");
    }
  }

  void stop() {
    for (auto& t : threads) {
      asio::post(t->context, [raw = t.get()] { raw->loop.abort(); });
    }
    // Workers first: what they finish is still posted to living loops.
    workers.join();
    for (auto& t : threads) {
      t->context.stop();
      if (t->thread.joinable()) t->thread.join();
    }
  }

  session_options session;
  std::optional<std::uint32_t> max_connections;
  asio::thread_pool workers;
  std::atomic<std::size_t> connections{0};
  std::atomic<int> closing{0};  ///< threads that have been told to close their listeners and have not yet
  std::vector<std::unique_ptr<io_thread>> threads;
  asio::ip::tcp::endpoint endpoint;
  std::optional<asio::ip::tcp::endpoint> internal;
};

http_server::http_server(std::unique_ptr<impl> p) : impl_(std::move(p)) {}
http_server::~http_server() = default;

start_result<std::unique_ptr<http_server>> http_server::start(http_server_options const& o,
                                                              http_services& services) {
  config::ip_networks proxies;
  for (auto const& text : o.trusted_proxies)
    if (!proxies.add(text))
      return start_error{"http.trusted_proxies: \"" + text +
                         "\" is neither an address nor a network in CIDR form"};
  auto p = std::make_unique<impl>(o, std::move(proxies));
  p->max_connections = o.max_connections;
  for (std::size_t i = 0; i < std::max<std::size_t>(1, o.threads); ++i)
    p->threads.push_back(std::make_unique<io_thread>(services, p->session, p->workers, p->connections));

  bool const split = o.internal_host || o.internal_port;
  auto const main =
      p->listen(o.host, o.port, "relay.host", split ? http_endpoint::external : http_endpoint::all, o);
  if (!main) return main.error();
  p->endpoint = *main;
  if (split) {
    auto const port = o.internal_port.value_or(o.port);
    auto const internal =
        p->listen(o.internal_host.value_or(o.host), port, "relay.internal_host", http_endpoint::internal, o);
    if (!internal) return internal.error();
    p->internal = *internal;
  }
  p->run();
  return std::unique_ptr<http_server>(new http_server(std::move(p)));
}

std::string http_server::address() const { return to_text(impl_->endpoint); }
std::optional<std::string> http_server::internal_address() const {
  if (!impl_->internal) return std::nullopt;
  return to_text(*impl_->internal);
}
std::uint16_t http_server::port() const { return impl_->endpoint.port(); }
std::size_t http_server::connections() const { return impl_->connections; }

void http_server::stop_accepting() {
  for (auto& t : impl_->threads) {
    ++impl_->closing;
    asio::post(t->context, [raw = t.get(), i = impl_.get()] {
      for (auto& l : raw->listeners) l->close();
      raw->loop.drain();
      --i->closing;
    });
  }
}

bool http_server::wait_until_idle(std::chrono::steady_clock::time_point deadline) const {
  // A listener that is still open could take one more.
  while (connections() > 0 || impl_->closing > 0) {
    if (std::chrono::steady_clock::now() >= deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

void http_server::stop() { impl_->stop(); }

}  // namespace profile_relay::server
