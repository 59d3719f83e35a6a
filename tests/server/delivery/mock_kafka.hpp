#pragma once

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace profile_relay::server {

/// librdkafka's mock cluster with one broker, or more, and the topics "profiles" and "outcomes", one partition each.
class mock_kafka {
 public:
  explicit mock_kafka(int brokers = 1);
  ~mock_kafka();

  std::string const& bootstrap() const { return bootstrap_; }
  void down();
  void up();
  /// The next `count` produce requests are answered with `e`.
  void refuse(rd_kafka_resp_err_t e, int count);
  /// The broker that leads the topic's partition from now on, counted from 1.
  void lead(char const* topic, int broker);
  /// What the broker says of a topic from now on.
  void set_topic_error(char const* topic, rd_kafka_resp_err_t e);

  struct message {
    std::string value;
    std::optional<std::string> key;
    std::vector<std::pair<std::string, std::string>> headers;
  };
  /// The first `n` messages of a topic, as a consumer sees them; fewer when a minute passes without more.
  std::vector<message> read(std::string const& topic, std::size_t n) const;

 private:
  rd_kafka_t* owner_ = nullptr;
  rd_kafka_mock_cluster_t* cluster_ = nullptr;
  std::string bootstrap_;
};

}  // namespace profile_relay::server
