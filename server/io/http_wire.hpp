#pragma once

#include <string>
#include <string_view>

#include "server/core/reply.hpp"

namespace profile_relay::server {

inline constexpr std::string_view continue_line = "HTTP/1.1 100 Continue\r\n\r\n";

struct wire_options {
  bool keep_alive = true;
  bool head_only = false;  ///< HEAD: the length of the body, without the body
  bool http10 = false;
};

/// A reply as it goes over the wire, with the headers that every reply has (contract 5.4).
std::string to_wire(http_reply const& reply, wire_options o);

}  // namespace profile_relay::server
