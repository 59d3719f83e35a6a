#include "server/io/http_client.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>

namespace profile_relay::server {

namespace asio = boost::asio;
namespace beast = boost::beast;
using asio::ip::tcp;

namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

std::string head_of(client_request const& r) {
  std::string out = r.method + " " + r.target + " HTTP/1.1\r\nhost: " + r.host + ":" +
                    std::to_string(r.port) + "\r\nconnection: close\r\n";
  for (auto const& [name, value] : r.headers) out += name + ": " + value + "\r\n";
  if (!r.body.empty()) out += "content-length: " + std::to_string(r.body.size()) + "\r\n";
  return out + "\r\n";
}

asio::awaitable<void> exchange(client_request const& r, tcp::socket& socket,
                               start_result<client_reply>& out) {
  auto const failed = [&](char const* what, boost::system::error_code const& ec) {
    out = start_error{std::string(what) + " " + r.host + ":" + std::to_string(r.port) +
                      " failed: " + ec.message()};
  };
  tcp::resolver resolver(socket.get_executor());
  auto [resolve_ec, found] = co_await resolver.async_resolve(r.host, std::to_string(r.port), as_result);
  if (resolve_ec) co_return failed("resolving", resolve_ec);
  boost::system::error_code connect_ec = asio::error::host_not_found;
  for (auto const& entry : found) {
    boost::system::error_code ignored;
    socket.close(ignored);
    std::tie(connect_ec) = co_await socket.async_connect(entry.endpoint(), as_result);
    if (!connect_ec) break;
  }
  if (connect_ec) co_return failed("connecting to", connect_ec);
  auto const head = head_of(r);
  std::array<asio::const_buffer, 2> const parts{asio::buffer(head),
                                                asio::buffer(r.body.data(), r.body.size())};
  auto [write_ec, written] = co_await asio::async_write(socket, parts, as_result);

  beast::http::response_parser<beast::http::string_body> parser;
  parser.body_limit(boost::none);
  beast::flat_buffer buffer;
  auto [read_ec, n] = co_await beast::http::async_read(socket, buffer, parser, as_result);
  if (read_ec) co_return write_ec ? failed("sending to", write_ec) : failed("reading from", read_ec);
  out = client_reply{static_cast<int>(parser.get().result_int()), std::move(parser.get().body())};
}

}  // namespace

start_result<client_reply> call(client_request const& request) {
  asio::io_context context;
  tcp::socket socket(context);
  start_result<client_reply> out =
      start_error{request.host + ":" + std::to_string(request.port) + " did not answer within " +
                  std::to_string(request.timeout.count()) + " ms"};
  asio::co_spawn(context, exchange(request, socket, out), asio::detached);
  context.run_for(request.timeout);
  return out;
}

}  // namespace profile_relay::server
