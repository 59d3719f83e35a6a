#include "tests/sdk/transport/scripted_server.hpp"

#include <arpa/inet.h>
#include <poll.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <chrono>
#include <stdexcept>

namespace profile_relay::sdk::test {

std::string http_request::header(std::string_view name) const {
  std::size_t at = head.find("\r\n");
  while (at != std::string::npos && at + 2 < head.size()) {
    auto const start = at + 2;
    at = head.find("\r\n", start);
    auto const line = std::string_view(head).substr(start, at - start);
    if (line.size() > name.size() && line[name.size()] == ':' &&
        ::strncasecmp(line.data(), name.data(), name.size()) == 0) {
      return std::string(line.substr(name.size() + 2));
    }
  }
  return {};
}

std::string scripted_server::answer(int status, std::string const& headers, std::string const& body) {
  return "HTTP/1.1 " + std::to_string(status) + " Whatever\r\nConnection: close\r\n" + headers +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

scripted_server::scripted_server(std::vector<std::string> script, bool away)
    : stop_(::eventfd(0, EFD_CLOEXEC)), script_(std::move(script)) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  if (::bind(listener_, any, size) != 0 || ::getsockname(listener_, any, &size) != 0) {
    throw std::runtime_error("no port on loopback");
  }
  port_ = ntohs(address.sin_port);
  if (!away) come_back();
}

void scripted_server::come_back() {
  if (::listen(listener_, 64) != 0) throw std::runtime_error("cannot listen");
  thread_ = std::thread([this] { run(); });
}

scripted_server::~scripted_server() {
  static_cast<void>(::eventfd_write(stop_, 1));
  if (thread_.joinable()) thread_.join();
  for (int const connection : hanging_) ::close(connection);
  ::close(listener_);
  ::close(stop_);
}

std::string scripted_server::dsn(std::string const& scheme) const {
  return scheme + "://a94ae32be2584e0bbd7a4cbb95971fee@127.0.0.1:" + std::to_string(port_) + "/42";
}

std::vector<http_request> scripted_server::wait_for(std::size_t n) {
  std::unique_lock lock(mutex_);
  bool const came = changed_.wait_for(lock, std::chrono::seconds(60), [&] { return requests_.size() >= n; });
  REQUIRE(came);
  return {requests_.begin(), requests_.begin() + static_cast<std::ptrdiff_t>(n)};
}

std::size_t scripted_server::requests() {
  std::lock_guard const lock(mutex_);
  return requests_.size();
}

void scripted_server::run() {
  for (;;) {
    std::array<pollfd, 2> fds{{{listener_, POLLIN, 0}, {stop_, POLLIN, 0}}};
    if (::poll(fds.data(), fds.size(), -1) < 0) continue;  // a test's signal
    if (fds[1].revents != 0) return;
    int const connection = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (connection >= 0) serve(connection);
  }
}

void scripted_server::serve(int connection) {
  std::string got;
  http_request request;
  std::size_t whole = std::string::npos;
  while (got.size() < whole) {
    std::array<pollfd, 2> fds{{{connection, POLLIN, 0}, {stop_, POLLIN, 0}}};
    if (::poll(fds.data(), fds.size(), -1) < 0) continue;
    std::array<char, 65536> buffer;
    auto const n = fds[1].revents != 0 ? 0 : ::recv(connection, buffer.data(), buffer.size(), 0);
    if (n <= 0) {
      ::close(connection);
      return;
    }
    got.append(buffer.data(), static_cast<std::size_t>(n));
    auto const head = got.find("\r\n\r\n");
    if (whole == std::string::npos && head != std::string::npos) {
      request.head = got.substr(0, head + 4);
      auto const length = request.header("Content-Length");
      whole = head + 4 + (length.empty() ? 0 : std::stoul(length));
    }
  }
  request.body = got.substr(request.head.size());
  std::string reply;
  {
    std::lock_guard const lock(mutex_);
    reply = requests_.size() < script_.size() ? script_[requests_.size()] : answer(200);
    requests_.push_back(std::move(request));
    if (reply == hang) hanging_.push_back(connection);
  }
  changed_.notify_all();
  if (reply == hang) return;
  if (reply != hang_up) {
    for (std::string_view left = reply; !left.empty();) {
      auto const n = ::send(connection, left.data(), left.size(), MSG_NOSIGNAL);
      if (n < 0 && errno != EINTR) break;
      if (n > 0) left.remove_prefix(static_cast<std::size_t>(n));
    }
  }
  ::close(connection);
}

}  // namespace profile_relay::sdk::test
