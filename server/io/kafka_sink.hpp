#pragma once

#include <librdkafka/rdkafka.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "config/settings.hpp"
#include "server/core/record_io.hpp"
#include "server/io/delivery_error.hpp"

namespace profile_relay::server {

struct kafka_sink_options {
  std::uint64_t queue_bytes = 256u << 20;  ///< of librdkafka's queue, for each producer
  /// From poll() or produce(), on their thread.
  std::function<void(produce_report)> report;
  /// A line of librdkafka with its syslog level (3 error, 4 warning, 6 info, 7 debug), from poll(). Without
  /// this handler lines are dropped; nothing goes to stderr.
  std::function<void(int level, std::string const& line)> log;
};

/// Kafka by librdkafka: producers for the main configuration, and for each secondary configuration that a
/// topic names; processing.kafka_producers of each. The first gets all until a whole batch is under way with it: small
/// batches cost CPU here and at the broker, and a second connection only pays when the first is busy. Messages are sent from the records' own memory; a record is held until its report, or until
/// the producer is destroyed. Not thread-safe: one thread produces and polls.
class kafka_sink final : public record_sink {
 public:
  /// Connects in the background: a broker that is away is not an error here.
  static start_result<std::unique_ptr<kafka_sink>> open(
      config::settings::processing_section const& processing, kafka_sink_options options);
  ~kafka_sink() override;

  void produce(std::uint64_t id, record_ptr record) override;
  void purge() override;

  /// Readable when poll() has something to do.
  int wake_fd() const { return wake_fd_; }
  /// Serves reports and log lines; never waits.
  void poll();

  /// Asks the brokers for both topics (processing.kafka_validate_topics); waits up to `timeout` for each.
  std::optional<start_error> validate_topics(std::chrono::milliseconds timeout);

  std::uint64_t max_message_bytes() const;  ///< message.max.bytes of the producer of `profiles`
  std::string brokers() const;              ///< bootstrap.servers of that producer, for log lines
  std::size_t queue_length() const;         ///< messages and reports that librdkafka holds

 private:
  struct kafka_closer {
    void operator()(rd_kafka_t* k) const noexcept { rd_kafka_destroy(k); }
  };
  struct topic_closer {
    void operator()(rd_kafka_topic_t* t) const noexcept { rd_kafka_topic_destroy(t); }
  };
  struct queue_closer {
    void operator()(rd_kafka_queue_t* q) const noexcept {
      rd_kafka_queue_io_event_enable(q, -1, nullptr, 0);
      rd_kafka_queue_destroy(q);
    }
  };
  struct producer {
    std::string name;
    std::size_t number = 0;
    std::uint64_t batch_bytes = 0;      ///< batch.size
    std::uint64_t bytes_under_way = 0;  ///< of records without a report
    std::unique_ptr<rd_kafka_t, kafka_closer> handle;
    std::unique_ptr<rd_kafka_queue_t, queue_closer> queue;
  };
  struct route {
    producer* via = nullptr;
    std::unique_ptr<rd_kafka_topic_t, topic_closer> topic;
  };
  struct destination {
    std::vector<route> routes;

    route const& first() const { return routes.front(); }
    route const& next() const;
  };
  struct in_flight {
    std::uint64_t id;
    record_ptr record;
    producer* via;
  };

  explicit kafka_sink(kafka_sink_options options) : options_(std::move(options)) {}
  /// The `number`th producer of this configuration; made when it is first asked for.
  start_result<producer*> producer_named(config::settings::processing_section const& processing,
                                         std::string const& name, std::size_t number);
  std::optional<start_error> open_topic(config::settings::processing_section const& processing,
                                        profile::logical_topic which);
  destination& to(profile::logical_topic t) { return topics_[static_cast<std::size_t>(t)]; }
  route const& profiles() const {
    return topics_[static_cast<std::size_t>(profile::logical_topic::profiles)].first();
  }
  void finish(std::uintptr_t ticket, rd_kafka_resp_err_t result, char const* words);

  static void on_report(rd_kafka_t*, rd_kafka_message_t const* m, void* self);
  static void on_log(rd_kafka_t const* k, int level, char const* facility, char const* line);
  static void on_error(rd_kafka_t* k, int err, char const* why, void* self);

  kafka_sink_options options_;
  int wake_fd_ = -1;
  // Tickets, not pointers, travel through librdkafka: what it never reports is freed with this map.
  std::unordered_map<std::uintptr_t, in_flight> in_flight_;
  std::uintptr_t next_ticket_ = 1;
  std::vector<std::unique_ptr<producer>> producers_;
  std::array<destination, 2> topics_;
};

}  // namespace profile_relay::server
