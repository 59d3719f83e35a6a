#pragma once

#include <librdkafka/rdkafka.h>

#include <vector>

namespace profile_relay::server {

/// Stands between the program and librdkafka (its rd_kafka_new, rd_kafka_poll and rd_kafka_produceva are ours in this test program), so
/// that producers which nobody hands out can be watched and broken. Thread-safe.
struct librdkafka_shim {
  /// The producers made since `forget`, in order.
  static std::vector<rd_kafka_t*> producers();
  /// Which producer got each message since then, in order.
  static std::vector<rd_kafka_t*> messages();
  static void forget();
  /// The next `count` producers cannot be made.
  static void refuse(int count);
  /// Nothing this producer says is heard any more.
  static void make_deaf(rd_kafka_t* k);
};

}  // namespace profile_relay::server
