#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "server/io/http_server.hpp"

namespace profile_relay::server::test {

inline std::string const good_key(32, 'a'), disabled_key(32, 'b'), perfetto_off_key(32, 'c'),
    all_off_key(32, 'd'), site_key(32, 'e');

/// Projects: 1 with both features, these quotas and a disabled key, 2 without the Perfetto feature, 3 without any, 4 with one domain.
std::shared_ptr<const config::project_snapshot> test_projects(std::vector<config::quota> quotas = {});

/// Delivery without Kafka or disk: a thread that ends each record as the test says, or keeps it until told.
class fake_delivery final : public delivery_port {
 public:
  fake_delivery();
  ~fake_delivery() override;

  void submit(profile::kafka_record record, std::function<void(record_end)> done) override;
  delivery_status status() const override { return {}; }

  /// How records of each topic end from now on.
  void end_with(record_end profiles, record_end outcomes = record_end::delivered);
  /// Keeps records until `release`.
  void hold();
  void release();
  /// Waits for this many records to have been submitted since the start.
  void wait_for(std::size_t count);
  std::vector<profile::kafka_record> records() const;
  std::size_t count(profile::logical_topic topic) const;

 private:
  void run();

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<profile::kafka_record> records_;
  std::vector<std::pair<std::function<void(record_end)>, record_end>> waiting_;
  record_end profiles_ = record_end::delivered, outcomes_ = record_end::delivered;
  bool held_ = false, stop_ = false;
  std::thread thread_;
};

/// The whole HTTP side over real sockets, on a free port of the loopback interface.
struct fake_server {
  explicit fake_server(std::function<void(http_server_options&, pipeline_settings&)> const& change = {},
                       std::uint64_t budget_bytes = 64u << 20, std::vector<config::quota> quotas = {});
  ~fake_server();

  /// The value of a metric, 0 if there is none; `series` as it is printed, labels included.
  double metric(std::string const& series);

  fake_delivery delivery;
  metrics counted;
  byte_budget budget;
  local_rate_counters rate_counts;
  rate_limiter limiter{rate_counts, 300};
  std::atomic<std::uint64_t> now_s{1'790'000'000};  ///< the clock of quotas
  std::unique_ptr<http_services> services;
  std::unique_ptr<http_server> http;
  bool ready = true, over_mark = false;
};

struct reply {
  int status = 0;
  std::map<std::string, std::string> headers;  ///< names in lowercase
  std::string body;
  bool closed = false;  ///< the connection ended before a whole reply came
};

/// One connection of a client that says exactly what the test wants.
class connection {
 public:
  explicit connection(std::uint16_t port);
  ~connection();
  connection(connection const&) = delete;
  connection& operator=(connection const&) = delete;

  /// False when the peer has reset the connection.
  bool send(std::string_view bytes);
  void shutdown_send();
  /// The next reply; waits at most 20 s.
  reply receive();
  /// True when the peer has closed the connection and nothing is left to read.
  bool at_end();

 private:
  bool more();
  int fd_;
  std::string in_;
};

/// "POST <target> HTTP/1.1", Host, X-Sentry-Auth with `key` (none if empty), Content-Length, `extra` headers, body.
std::string post(std::string_view target, std::string_view key, std::string_view body,
                 std::string_view extra = {});

/// An envelope with JSON chunks of these payloads, for platform python.
std::string envelope_of(std::vector<std::string> const& payloads, std::string_view header = "{}");
/// A Sample v2 chunk that passes every check.
std::string good_chunk(std::string_view chunk_id = "0123456789abcdef0123456789abcdef");

}  // namespace profile_relay::server::test
