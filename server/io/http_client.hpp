#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/io/delivery_error.hpp"

namespace profile_relay::server {

struct client_request {
  std::string host;
  std::uint16_t port = 0;
  std::string method = "GET", target = "/";
  std::vector<std::pair<std::string, std::string>> headers;
  std::string_view body;
  std::chrono::milliseconds timeout{10'000};
};

struct client_reply {
  int status = 0;
  std::string body;
};

/// One request over a connection of its own, for the subcommands. Blocks, at most `timeout`.
/// An early reply is read even while the server refuses the rest of the body.
start_result<client_reply> call(client_request const& request);

}  // namespace profile_relay::server
