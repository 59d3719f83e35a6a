#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "profile/kafka_record.hpp"

namespace profile_relay::server {

/// The two seams of delivery. Implementations: kafka_sink, sqlite_spool; tests use fakes.

/// What the sink says of one produced record.
struct produce_report {
  std::uint64_t id = 0;
  enum class kind : std::uint8_t {
    acked,
    retriable,  ///< timed out, broker away, local queue full: the spool takes over
    too_large,  ///< the broker or librdkafka refuses its size
    refused,    ///< will never work: topic not authorised, invalid record, ...
  } result = kind::acked;
  std::string what;  ///< librdkafka's words, for the log
};

/// Hands records to Kafka. `produce` never blocks; each accepted record is reported exactly once.
class record_sink {
 public:
  virtual ~record_sink() = default;
  virtual void produce(std::uint64_t id, profile::kafka_record const& record) = 0;
};

/// A record in the spool, oldest first by `key`.
struct stored_record {
  std::int64_t key = 0;
  profile::kafka_record record;
};

/// Durable storage. Calls return at once; results come back through the handlers given to the implementation.
class record_store {
 public:
  virtual ~record_store() = default;
  /// Stores durably (synced) and reports spooled(id, key) or spool_failed(id).
  virtual void put(std::uint64_t id, profile::kafka_record const& record) = 0;
  /// Asks for the oldest live records after `after_key`, up to `max_bytes` (at least one if there is any).
  virtual void take_oldest(std::int64_t after_key, std::uint64_t max_bytes) = 0;
  virtual void remove(std::int64_t key) = 0;
  /// Keeps the record but never sends it again by itself; `spool ls` shows it with `why`.
  virtual void mark_dead(std::int64_t key, std::string why) = 0;
};

}  // namespace profile_relay::server
