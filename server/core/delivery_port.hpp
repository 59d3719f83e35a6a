#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "profile/kafka_record.hpp"
#include "server/core/disposition.hpp"

namespace profile_relay::server {

/// What readiness and metrics need to know of delivery. A plain copy, cheap to take.
struct delivery_status {
  bool kafka_configured = false;
  bool kafka_away = false;  ///< known to take nothing now: new records go to the spool
  bool kafka_progress =
      true;  ///< queue empty and not away, or last acknowledgement younger than health.kafka_max_ack_age
  std::optional<std::chrono::milliseconds> last_ack_age;
  std::uint64_t in_flight_records = 0;  ///< handed to Kafka, not yet reported
  std::uint64_t in_flight_bytes = 0;
  bool spool_has_room = true;
  bool spool_failed = false;  ///< the last write failed
  std::uint64_t spool_records = 0;
  std::uint64_t spool_bytes = 0;
  std::uint64_t spool_dead_records = 0;
  std::uint64_t spool_set_aside = 0;  ///< damaged databases that lie in the spool's folder
  std::uint64_t spool_salvaged = 0;   ///< records out of them, since the start
  std::uint64_t spool_lost = 0;       ///< records known of that could not be read, since the start
  std::optional<std::chrono::milliseconds> oldest_spooled_age;
  std::uint64_t delivered_total = 0, spooled_total = 0, drained_total = 0, failed_total = 0,
                raw_dropped_total = 0, late_reports_total = 0, producers_recreated_total = 0;
};

/// The one way a record leaves the pipeline. Thread-safe.
class delivery_port {
 public:
  virtual ~delivery_port() = default;

  /// Takes the record over. `done` is called exactly once, from the delivery thread, also at shutdown; it
  /// must not throw and should only post.
  virtual void submit(profile::kafka_record record, std::function<void(record_end)> done) = 0;
  virtual delivery_status status() const = 0;
};

}  // namespace profile_relay::server
