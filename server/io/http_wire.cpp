#include "server/io/http_wire.hpp"

#include <ctime>

namespace profile_relay::server {

namespace {

constexpr std::string_view fixed_headers =
    "server: profile-relay\r\n"
    "cross-origin-resource-policy: cross-origin\r\n"
    "access-control-allow-origin: *\r\n"
    "access-control-allow-methods: POST\r\n"
    "access-control-allow-headers: x-sentry-auth, x-requested-with, x-forwarded-for, origin, referer, "
    "accept, "
    "content-type, authentication, authorization, content-encoding, transfer-encoding\r\n"
    "access-control-expose-headers: x-sentry-error, x-sentry-rate-limits, retry-after\r\n"
    "access-control-max-age: 3600\r\n";

std::string_view phrase(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 413:
      return "Content Too Large";
    case 415:
      return "Unsupported Media Type";
    case 429:
      return "Too Many Requests";
    case 503:
      return "Service Unavailable";
    default:
      return "Internal Server Error";
  }
}

/// The date header's value; formatted once a second and thread.
std::string_view http_date() {
  thread_local std::time_t last = -1;
  thread_local char text[40];
  thread_local std::size_t size = 0;
  auto const now = std::time(nullptr);
  if (now != last) {
    std::tm tm{};
    gmtime_r(&now, &tm);
    size = std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &tm);
    last = now;
  }
  return {text, size};
}

void add(std::string& out, std::string_view name, std::string_view value) {
  out += name;
  out += ": ";
  out += value;
  out += "\r\n";
}

}  // namespace

std::string to_wire(http_reply const& reply, wire_options o) {
  std::string out;
  out.reserve(900 + reply.body.size());
  out += "HTTP/1.1 ";
  out += std::to_string(reply.status);
  out += ' ';
  out += phrase(reply.status);
  out += "\r\n";
  out += fixed_headers;
  add(out, "date", http_date());
  if (!reply.allow.empty()) add(out, "allow", reply.allow);
  if (reply.retry_after > 0) add(out, "retry-after", std::to_string(reply.retry_after));
  if (!reply.rate_limits.empty()) add(out, "x-sentry-rate-limits", reply.rate_limits);
  if (!reply.body.empty()) add(out, "content-type", reply.content_type);
  add(out, "content-length", std::to_string(reply.body.size()));
  if (!o.keep_alive)
    add(out, "connection", "close");
  else if (o.http10)
    add(out, "connection", "keep-alive");
  out += "\r\n";
  if (!o.head_only) out += reply.body;
  return out;
}

}  // namespace profile_relay::server
