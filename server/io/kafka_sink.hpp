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
#include "server/io/kafka_retirement.hpp"

namespace profile_relay::server {

struct kafka_sink_options {
  std::uint64_t queue_bytes = 256u << 20;  ///< of librdkafka's queue, for each producer
  /// From poll() or produce(), on their thread.
  std::function<void(produce_report)> report;
  /// A line of librdkafka with its syslog level (3 error, 4 warning, 6 info, 7 debug), from poll(). Without
  /// this handler lines are dropped; nothing goes to stderr.
  std::function<void(int level, std::string const& line)> log;
  /// A producer has failed for good (a fatal error), from poll(); `recreate` mends it.
  std::function<void(std::string const& why)> failed;
};

/// Kafka by librdkafka: producers for the main configuration, and for each secondary configuration that a
/// topic names; processing.kafka_producers of each. The first gets all until four batches are under way with
/// it: small batches cost CPU here and at the broker, and a second connection only pays when the first is busy. Messages
/// are sent from the records' own memory; a record is held until its report, or until
/// the producer is destroyed. Not thread-safe: one thread at a time.
class kafka_sink final : public record_sink {
 public:
  /// Connects in the background: a broker that is away is not an error here.
  static start_result<std::unique_ptr<kafka_sink>> open(
      config::settings::processing_section const& processing, kafka_sink_options options);
  ~kafka_sink() override;

  void produce(std::uint64_t id, record_ptr record) override;
  void purge() override;
  /// Makes new producers for all and retires the old ones: what these still hold is not reported any more, but kept
  /// in memory until they have ended (kafka_retirement.hpp). If a new one cannot be made, or too many old ones have not
  /// ended, the old ones stay, for a later try, and only lose the word on what they hold.
  std::optional<start_error> recreate();

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
  struct producer {
    std::string name;
    std::size_t number = 0;
    std::uint64_t batch_bytes = 0;      ///< batch.size
    std::uint64_t bytes_under_way = 0;  ///< of records without a report
    kafka_handle handle;
    kafka_queue queue;
  };
  struct route {
    producer* via = nullptr;
    kafka_topic topic;
  };
  struct destination {
    std::vector<route> routes;

    route const& first() const { return routes.front(); }
    route const& next() const;
  };
  struct in_flight {
    std::uint64_t id;  // 0: nobody waits for its report
    record_ptr record;
    producer* via;
  };

  kafka_sink(config::settings::processing_section processing, kafka_sink_options options)
      : processing_(std::move(processing)), options_(std::move(options)) {}
  /// The `number`th producer of this configuration; made when it is first asked for.
  start_result<producer*> producer_named(std::string const& name, std::size_t number);
  start_result<kafka_handle> make_handle(std::string const& name);
  void listen_to(producer& p);
  start_result<kafka_topic> make_topic(rd_kafka_t* handle, profile::logical_topic which);
  std::optional<start_error> open_topic(profile::logical_topic which);
  bool wake() const;
  destination& to(profile::logical_topic t) { return topics_[static_cast<std::size_t>(t)]; }
  route const& profiles() const {
    return topics_[static_cast<std::size_t>(profile::logical_topic::profiles)].first();
  }
  void finish(std::uintptr_t ticket, rd_kafka_resp_err_t result, char const* words);

  static void on_report(rd_kafka_t*, rd_kafka_message_t const* m, void* self);
  static void on_log(rd_kafka_t const* k, int level, char const* facility, char const* line);
  static void on_error(rd_kafka_t* k, int err, char const* why, void* self);

  config::settings::processing_section const processing_;
  kafka_sink_options options_;
  int wake_fd_ = -1;
  // Tickets, not pointers, travel through librdkafka: what it never reports is freed with this map.
  std::unordered_map<std::uintptr_t, in_flight> in_flight_;
  std::uintptr_t next_ticket_ = 1;
  std::vector<std::unique_ptr<producer>> producers_;
  std::array<destination, 2> topics_;
  kafka_retirement retirement_;
};

}  // namespace profile_relay::server
