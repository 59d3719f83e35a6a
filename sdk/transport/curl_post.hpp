// One HTTP request at a time, over libcurl.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sdk/transport/transport_fsm.hpp"

namespace profile_relay::sdk {

struct curl_settings {
  std::string url;
  std::vector<std::string> headers;  ///< "Name: value"
  std::string user_agent;
  std::string ca_file;  ///< PEM of trusted authorities; "" = the system's
  std::chrono::milliseconds connect_timeout{10'000};
  std::chrono::milliseconds stall_timeout{30'000};  ///< not one byte in either direction for so long
  std::chrono::milliseconds request_timeout{std::chrono::minutes{5}};
};

/// Either an answer or why there is none.
struct post_result {
  std::optional<http_answer> answer;
  std::string error;
};

/// POSTs bodies to one URL and keeps the connection for the next. Redirects are not followed. Proxies come from the
/// environment (http_proxy, https_proxy, no_proxy), as curl reads it. An answer counts from the end of its head on, also
/// if the connection breaks afterwards or before the whole body was sent. Of an answer's body at most 256 bytes are kept.
/// Installs no signal handler; a signal in the midst of a call does no harm.
class curl_post {
 public:
  explicit curl_post(curl_settings s);
  ~curl_post();
  curl_post(curl_post const&) = delete;
  curl_post& operator=(curl_post const&) = delete;

  /// Blocks until there is an answer, an error, or `give_up` names a time that has come. It is asked again after wake().
  /// Throws std::runtime_error if libcurl has no memory.
  post_result post(std::string_view body, std::function<std::optional<send_time>()> const& give_up);

  /// From any thread: post() asks `give_up` anew.
  void wake();

 private:
  struct handles;
  std::unique_ptr<handles> handles_;
};

}  // namespace profile_relay::sdk
