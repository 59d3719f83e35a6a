#include <charconv>
#include <iostream>

#include "server/io/cmd_files.hpp"
#include "server/io/http_client.hpp"

namespace profile_relay::server {

namespace {

/// http://host[:port]; false for anything else.
bool split_url(std::string_view url, client_request& out) {
  constexpr std::string_view scheme = "http://";
  if (!url.starts_with(scheme)) return false;
  url.remove_prefix(scheme.size());
  url = url.substr(0, url.find('/'));
  auto const colon = url.rfind(':');
  bool const has_port = colon != std::string_view::npos && url.find(']', colon) == std::string_view::npos;
  auto host = has_port ? url.substr(0, colon) : url;
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  out.host = std::string(host);
  out.port = 80;
  if (!has_port) return !out.host.empty();
  auto const text = url.substr(colon + 1);
  auto const [end, ec] = std::from_chars(text.data(), text.data() + text.size(), out.port);
  return ec == std::errc{} && end == text.data() + text.size() && !out.host.empty();
}

/// An address to listen on is not always one to connect to.
std::string reachable(std::string const& host) {
  if (host == "0.0.0.0") return "127.0.0.1";
  if (host == "::") return "::1";
  return host;
}

}  // namespace

int cmd_healthcheck(healthcheck_arguments const& a) {
  client_request request;
  request.timeout = config::settings{}.health.probe_timeout;
  if (!a.url.empty()) {
    if (!split_url(a.url, request)) return fail("--url wants http://host:port, not " + a.url);
  } else {
    auto const loaded = load_configuration(a.config);
    if (!loaded) return 1;
    auto const& relay = loaded->values.relay;
    request.timeout = loaded->values.health.probe_timeout;
    request.host = reachable(relay.internal_host.value_or(relay.host));
    request.port = relay.internal_port.value_or(relay.port);
  }
  request.target = "/api/relay/healthcheck/" + a.mode + "/";
  auto const reply = call(request);
  if (!reply) return fail("not " + a.mode + ": " + reply.error().what);
  if (reply->status != 200)
    return fail("not " + a.mode + ": " + std::to_string(reply->status) + " " + reply->body);
  std::cout << reply->body << '\n';
  return 0;
}

}  // namespace profile_relay::server
