#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "server/core/delivery_events.hpp"

namespace profile_relay::server {

/// When and where the drain reads the spool next. Pure; part of delivery_fsm.
///
/// The drain walks the keys upwards: oldest first. Records that fail stay where they are; the walk remembers
/// the lowest of their keys (the floor) and starts again from there once the broker has taken anything, so
/// oldest first holds after an outage too. While nothing succeeds it *probes*: one record, after a pause that
/// doubles, each time the next one, so that a record of a missing topic cannot hold up records of topics that
/// work.
class backlog_cursor {
 public:
  struct pauses {
    std::chrono::milliseconds first{1000},
        longest{5000};  ///< a probe costs one record; nothing else sees a broker return
  };
  explicit backlog_cursor(pauses p) : pauses_(p), pause_(p.first) {}

  /// A record came into the spool: there is something to drain.
  void note_spooled();
  /// The broker did not take a record now; `key` if it was one of the backlog.
  void note_failure(delivery_time now, std::optional<std::int64_t> key);
  /// The broker took a record, live or not.
  void note_success();
  /// A record that was read was put aside unsent.
  void read_again(std::int64_t key);

  /// Something may be left to read.
  bool pending() const { return more_ || floor_.has_value(); }
  bool probing() const { return probing_; }
  bool taking() const { return taking_; }
  /// The earliest time of the next read.
  delivery_time not_before() const { return not_before_; }

  /// A read starts: the key to read after.
  std::int64_t start();
  /// The read ended at `last_key`; absent = it found nothing.
  void finish(delivery_time now, std::optional<std::int64_t> last_key);
  /// The spool could not be read now.
  void fail(delivery_time now);

 private:
  void pause_from(delivery_time now);

  pauses pauses_;
  std::chrono::milliseconds pause_;  // of the next failure
  delivery_time not_before_{};
  delivery_time last_failure_{};
  std::int64_t cursor_ = 0;            // everything up to here was read
  std::optional<std::int64_t> floor_;  // the lowest key at or below the cursor that has to be read again
  bool more_ = true;                   // an earlier run may have left something
  bool probing_ = false;
  bool taking_ = false;
  bool spooled_while_taking_ = false;
};

}  // namespace profile_relay::server
