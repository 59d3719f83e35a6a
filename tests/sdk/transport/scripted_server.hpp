// An HTTP server on loopback that answers what it is told.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace profile_relay::sdk::test {

/// One request as it came.
struct http_request {
  std::string head;  ///< with its last line end
  std::string body;
  std::string header(std::string_view name) const;  ///< "" = none
};

/// Reads requests and answers each with the next line of its script, then with 200. One connection per request.
class scripted_server {
 public:
  /// The answers that are none.
  static inline const std::string hang = "hang";        ///< keep the connection, say nothing
  static inline const std::string hang_up = "hang up";  ///< close it without an answer

  /// `status`, and header lines that each end with \r\n.
  static std::string answer(int status, std::string const& headers = "", std::string const& body = "{}");

  /// With `away`, connections are refused until come_back().
  explicit scripted_server(std::vector<std::string> script = {}, bool away = false);
  ~scripted_server();
  scripted_server(scripted_server const&) = delete;
  scripted_server& operator=(scripted_server const&) = delete;

  void come_back();
  std::uint16_t port() const { return port_; }
  std::string dsn(std::string const& scheme = "http") const;

  /// The first `n` requests; waits for them to have come whole.
  std::vector<http_request> wait_for(std::size_t n);
  std::size_t requests();

 private:
  void run();
  void serve(int connection);

  int listener_ = -1;
  int stop_ = -1;  // an event: end
  std::uint16_t port_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> script_;
  std::vector<http_request> requests_;
  std::vector<int> hanging_;
  std::thread thread_;
};

}  // namespace profile_relay::sdk::test
