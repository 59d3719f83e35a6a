#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "profile/kafka_record.hpp"

namespace profile_relay::server {

/// The two seams of delivery. Implementations: kafka_sink, sqlite_spool; tests use fakes.
///
/// Records are shared, never copied: librdkafka sends from the record's own memory, and a producer that is
/// given up may still read it afterwards. Sharing memory is not sharing responsibility: at any moment exactly
/// one of sink, store or state machine has to bring the record to its end.
using record_ptr = std::shared_ptr<const profile::kafka_record>;

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

/// Hands records to Kafka. `produce` never blocks; each produced record is reported exactly once, possibly
/// from within `produce`.
class record_sink {
 public:
  virtual ~record_sink() = default;
  virtual void produce(std::uint64_t id, record_ptr record) = 0;
  /// Gives up everything in flight: what is not acknowledged is reported as retriable soon.
  virtual void purge() = 0;
};

/// A record in the spool, oldest first by `key`.
struct stored_record {
  std::int64_t key = 0;
  record_ptr record;
  bool told = false;  ///< an outcome was sent for it already (it was dead, and is tried again)
};

/// Why a record did not get into the spool.
enum class spool_failure : std::uint8_t {
  full,  ///< the configured size is used up
  io,    ///< the file system or SQLite refused
};

/// Durable storage. Calls return at once; results come back as events (delivery_fsm.hpp) through the handler
/// given to the implementation. Calls take effect in the order they are made.
class record_store {
 public:
  virtual ~record_store() = default;
  /// Stores durably (synced) and answers event::spooled or event::spool_failed.
  virtual void put(std::uint64_t id, record_ptr record) = 0;
  /// Asks for the oldest waiting records after `after_key`, up to `max_bytes` (at least one if there is any), and
  /// marks them as in flight, so that nobody else removes them; answers event::stored or event::take_failed.
  virtual void take_oldest(std::int64_t after_key, std::uint64_t max_bytes) = 0;
  /// Gives taken records back unsent: they wait again. Not answered.
  virtual void release(std::vector<std::int64_t> keys) = 0;
  /// Answers event::removed or event::remove_failed.
  virtual void remove(std::int64_t key) = 0;
  /// Keeps the record but never sends it again by itself; `spool ls` shows it with `why`. Answers like
  /// `remove`.
  virtual void mark_dead(std::int64_t key, std::string why) = 0;
};

}  // namespace profile_relay::server
