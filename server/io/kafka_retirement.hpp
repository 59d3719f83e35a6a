#pragma once

#include <librdkafka/rdkafka.h>

#include <cstddef>
#include <future>
#include <memory>
#include <thread>
#include <vector>

#include "server/core/record_io.hpp"

namespace profile_relay::server {

struct kafka_closer {
  void operator()(rd_kafka_t* k) const noexcept { rd_kafka_destroy(k); }
};
using kafka_handle = std::unique_ptr<rd_kafka_t, kafka_closer>;

struct kafka_topic_closer {
  void operator()(rd_kafka_topic_t* t) const noexcept { rd_kafka_topic_destroy(t); }
};
using kafka_topic = std::unique_ptr<rd_kafka_topic_t, kafka_topic_closer>;

struct kafka_queue_closer {
  void operator()(rd_kafka_queue_t* q) const noexcept {
    rd_kafka_queue_io_event_enable(q, -1, nullptr, 0);
    rd_kafka_queue_destroy(q);
  }
};
using kafka_queue = std::unique_ptr<rd_kafka_queue_t, kafka_queue_closer>;

/// All that must live until a producer is destroyed. Members are destroyed from the last to the first.
struct retired_producers {
  std::vector<record_ptr> records;  // librdkafka may read them until its threads have ended
  std::vector<kafka_handle> handles;
  std::vector<kafka_topic> topics;
};

/// Where producers go that were given up. rd_kafka_destroy waits for librdkafka's threads, and of a producer that is
/// stuck one may hang in a connect, a name look-up, or for ever. So each batch ends on a thread of its own, which owns
/// everything the producers may touch: delivery never waits for it, and may even end before it. Nobody polls a retired
/// producer, so none of its callbacks run.
///
/// Bounded: `has_room` says no while `limit` batches have not ended. Not thread-safe.
class kafka_retirement {
 public:
  static constexpr std::size_t limit = 3;

  ~kafka_retirement();  ///< waits for up to 5 s in all, then leaves the threads to the end of the process

  bool has_room();
  void take(retired_producers batch);

 private:
  struct ending {
    std::thread thread;
    std::future<void> ended;
  };
  std::vector<ending> endings_;
};

}  // namespace profile_relay::server
