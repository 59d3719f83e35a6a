#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "config/settings.hpp"
#include "profile/kafka_record.hpp"
#include "server/core/delivery_port.hpp"
#include "server/core/reason.hpp"
#include "server/io/delivery_error.hpp"

namespace profile_relay::server {

/// Where delivery's log lines go. Called from the delivery thread and, before `start` returns, from its
/// caller. Empty functions drop the line.
struct delivery_log {
  std::function<void(std::string const&)> info, warn, error;
};

/// Makes the outcome for a record that was answered 200 from the spool and that the broker then refused for
/// good. Scope comes from the record itself (decode_profile_message, received_ms). Absent = outcomes are
/// switched off.
using outcome_maker =
    std::function<std::optional<profile::kafka_record>(profile::kafka_record const& dead, reason why)>;

struct delivery_options {
  /// The whole server's byte budget (limits.max_inflight_bytes). Half of it may lie in librdkafka's queue.
  std::uint64_t max_inflight_bytes = 512u << 20;
  delivery_log log;
  outcome_maker make_outcome;                       ///< empty = no outcomes
  std::chrono::milliseconds recreate_pause{10000};  ///< delivery_fsm_settings::recreate_pause
};

/// What the records did that ended after `shutdown` was called, for the log line of the drain.
struct delivery_counts {
  std::uint64_t delivered = 0, spooled = 0, failed = 0;
};

/// Delivery for real: one thread that runs the state machine (delivery_fsm), a Kafka producer when a broker
/// is configured, and the spool, always. No other way leads from the pipeline to Kafka or to disk.
///
/// An unreachable broker is not a start error: records go to the spool until it answers. Start errors are
/// what can never work: a spool that is locked, unwritable, damaged or of a newer format; a Kafka property
/// librdkafka refuses; with processing.kafka_validate_topics, a topic that the broker does not have.
class delivery_driver final : public delivery_port {
 public:
  static start_result<std::unique_ptr<delivery_driver>> start(config::settings const& s,
                                                              delivery_options options);
  /// Like shutdown(now) if that was not called.
  ~delivery_driver() override;

  /// After `shutdown` has ended, `done(unavailable)` is called at once on the caller's thread.
  void submit(profile::kafka_record record, std::function<void(record_end)> done) override;
  delivery_status status() const override;

  /// The effective `message.max.bytes` of the producer that serves `profiles`; compare with
  /// kafka_record::wire_size().
  std::uint64_t max_message_bytes() const;

  /// `health.kafka_max_ack_age`, from now on.
  void set_max_ack_age(std::chrono::milliseconds age);

  /// Stops draining the backlog, lets records in flight finish until `deadline`, spools the rest. When it
  /// returns, every submitted record has been resolved and the spool is closed. Blocks; at most about 7 s
  /// past the deadline. Call once; a second call returns zeros.
  delivery_counts shutdown(std::chrono::steady_clock::time_point deadline);

 private:
  struct impl;
  explicit delivery_driver(std::unique_ptr<impl> p);
  std::unique_ptr<impl> impl_;
};

}  // namespace profile_relay::server
