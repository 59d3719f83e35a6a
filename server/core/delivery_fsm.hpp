#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "server/core/delivery_backlog.hpp"
#include "server/core/delivery_events.hpp"

namespace profile_relay::server {

struct delivery_fsm_settings {
  bool broker = false;     ///< false: spool-only mode
  bool ack_spool = false;  ///< processing.ack: spool
  /// Bytes of records that may lie with Kafka: wire_size and record_overhead. In force is producer_budget().
  std::uint64_t producer_bytes = 256u << 20;
  /// Bytes of stored records that may lie with Kafka or be read ahead, at most half of the above; one larger record
  /// may go alone. What is live waits behind them in the producer's queue, so this bounds how long.
  std::uint64_t backlog_bytes = 16u << 20;
  std::uint64_t max_message_bytes = 50'000'000;
  /// Memory of a record in flight beside its message, here and in librdkafka; bounds the number of small
  /// records.
  std::uint64_t record_overhead = 1024;
  backlog_cursor::pauses drain_pauses;
  std::chrono::milliseconds report_grace{2000};  ///< wait for reports after a purge
  /// A record that Kafka has had for so long without a report means a stuck producer; clearly more than
  /// message.timeout.ms, after which librdkafka reports every record. 0 = never.
  std::chrono::milliseconds stall{0};
  /// Then a little more, in which a process that was itself stopped gets the reports that wait for it.
  std::chrono::milliseconds stall_confirm{2000};
  std::chrono::milliseconds recreate_pause{10000};  ///< between two new producers
  std::chrono::milliseconds spool_grace{5000};      ///< then wait for the spool

  /// producer_bytes, raised if needed so that the largest record fits either half of it.
  std::uint64_t producer_budget() const {
    return std::max(producer_bytes, 2 * (max_message_bytes + record_overhead));
  }
  /// backlog_bytes, lowered to half of that.
  std::uint64_t backlog_quota() const { return std::min(backlog_bytes, producer_budget() / 2); }
};

/// Counts since start. Every submitted record is in exactly one of delivered, spooled, failed once it has
/// ended.
struct delivery_totals {
  std::uint64_t delivered = 0, spooled = 0, failed = 0;
  std::uint64_t drained = 0;       ///< of the backlog, acknowledged
  std::uint64_t dead = 0;          ///< refused for good after a 200
  std::uint64_t raw_dropped = 0;   ///< kept without their raw trace, which did not fit the message limit
  std::uint64_t late_reports = 0;  ///< reports of records that had been given up
};

/// Delivery without I/O: events in, actions out, time as a value. Every record that is submitted is resolved
/// exactly once, and at any moment exactly one side has to bring it to its end:
///
///     no broker, ack: spool, no room in the producer's budget, circuit open, new producers on their way
///              ┌──────────────────────────────────────────────────────────────┐
///   submit ────┤                                                              ▼
///              │            retriable or refused; given up at shutdown   ┌─────────┐ failed ─► unavailable,
///              └───────► ┌───────┐ ────────────────────────────────────► │  SPOOL  │ or KAFKA if that was
///                too ┌── │ KAFKA │                                       │ writing │ not asked yet
///              large └─► └───────┘ ── acked ─► delivered                 └─────────┘ synced ─► spooled
///          (once without     │                                                │
///          the raw trace)    └── still too large ─► too_large                 ▼
///                                                  take, oldest first    ┌─────────┐
///                                       ┌─────────────────────────────── │ STORED  │ ◄─┐ retriable: it
///                                       ▼   (within their quota)         └─────────┘   │ never left;
///                                   ┌───────┐                                          │ release, pause,
///                                   │ KAFKA │ ─────────────────────────────────────────┘ go on
///                                   └───────┘ ── acked ─► remove
///                                       └── too large (once without raw), refused
///                                              ─► outcome, safe itself ─► dead: kept, listed, not sent again
///
/// Live records come first: the backlog has a small quota of its own, because what is live waits behind it in the
/// producer's queue; half of the budget is kept for live records, and all of it while there is no backlog.
///
/// Circuit, by topic: a live record that comes back retriable opens it, any acknowledgement of the topic closes it.
///
///              live record retriable
///   ┌────────┐ ──────────────────────► ┌──────────────────────────────────────────┐ ─┐ after a pause: one stored
///   │ closed │                         │ open: live records go to the spool       │  │ record is the probe
///   └────────┘ ◄────────────────────── └──────────────────────────────────────────┘ ◄┘ (backlog_cursor)
///              acknowledged
///
/// Only a live record that the spool refused is still tried with Kafka: no better place is left, and with a full
/// spool that may be the only probe.
///
/// Watchdog: a record that Kafka has had for longer than `stall` without a report, or event::producer_failed, means
/// new producers. Purge; each record goes its way as retriable on its report, or `report_grace` later without one; then
/// action::recreate_producer. All producers are replaced, also those that were well: records may then come twice, which
/// at-least-once allows, and the machine need not know which of them had what. Not more often than `recreate_pause`.
///
/// Shutdown, event::drain(deadline): the backlog stops; what is with Kafka may finish until the deadline;
/// then the producer is purged and each record goes to the spool on its report, or `report_grace` later
/// without one; what the spool does not answer for `spool_grace` is resolved as unavailable. Backlog records
/// simply stay stored.
///
/// What it knows of the spool by key is in flight there (taken, neither released nor ended), so a record that an
/// operator removes is none that is on its way.
///
/// Not its business: I/O, threads, clocks, logs, HTTP. Backed by tests/server/delivery (scripts and random
/// runs).
class delivery_fsm {
 public:
  explicit delivery_fsm(delivery_fsm_settings s);

  /// Takes one event; appends what is to be done. `now` never runs backwards.
  void step(delivery_event e, delivery_time now, std::vector<delivery_action>& out);

  /// After event::drain: nothing is left to wait for.
  bool finished() const;

  delivery_totals const& totals() const { return totals_; }
  std::uint64_t in_flight_records() const { return with_kafka_; }
  std::uint64_t in_flight_bytes() const { return live_bytes_ + backlog_bytes_; }
  std::uint64_t spooling_bytes() const { return spooling_bytes_; }
  std::uint64_t backlog_bytes() const { return backlog_bytes_; }
  /// The circuit is open, for one topic at least: new live records go to the spool.
  bool kafka_away() const { return away_[0] || away_[1]; }
  /// The broker took nothing since the last failure.
  bool broker_failing() const { return backlog_.probing(); }

 private:
  enum class origin : std::uint8_t {
    live,     // submitted: somebody waits
    backlog,  // stored: the spool has it until it is removed
    outcome,  // made for a dead record, which is marked dead once this is safe
  };
  // Ids of records that nobody submitted, apart from the callers' ids.
  static constexpr std::uint64_t first_internal_id = std::uint64_t{1} << 62;
  static constexpr std::uint64_t backlog_id(std::int64_t key) {
    return first_internal_id | static_cast<std::uint64_t>(key);
  }
  static constexpr std::uint64_t outcome_id(std::int64_t key) {
    return std::uint64_t{1} << 63 | static_cast<std::uint64_t>(key);
  }

  enum class place : std::uint8_t { kafka, spool };
  struct flight {
    std::uint64_t id;
    delivery_time since;
  };
  struct entry {
    record_ptr record;
    origin from;
    place at;
    std::int64_t key;  // backlog: its row; outcome: the dead record's row
    bool stripped;
    std::uint64_t bytes;
    bool told = false;         // backlog: its outcome was sent already
    bool tried_kafka = false;  // in this life
    std::list<flight>::iterator at_kafka{};
  };
  using entries = std::unordered_map<std::uint64_t, entry>;
  using actions = std::vector<delivery_action>;

  struct condemned {
    std::string why;
    record_ptr outcome;   // once made
    bool failed = false;  // it found no place: try again
  };
  struct leaving {
    std::optional<std::string> dead;  // why; absent = removed
    bool failed = false;              // the spool could not do it: try again
  };

  void on(event::submit& e, actions& out);
  void on(event::reported& e, actions& out);
  void on(event::spooled& e, actions& out);
  void on(event::spool_failed& e, actions& out);
  void on(event::stored& e, actions& out);
  void on(event::take_failed& e, actions& out);
  void on(event::revived& e, actions& out);
  void on(event::removed& e, actions& out);
  void on(event::remove_failed& e, actions& out);
  void on(event::outcome_made& e, actions& out);
  void on(event::producer_failed& e, actions& out);
  void on(event::drain& e, actions& out);
  void on(event::tick& e, actions& out);

  // One record's way (delivery_fsm.cpp).
  void admit(std::uint64_t id, entry e, actions& out);
  void to_kafka(std::uint64_t id, entry& e, actions& out);
  void to_spool(std::uint64_t id, entry& e, actions& out);
  void leave_place(entry const& e);
  void resolve(entries::iterator it, record_end end, actions& out);
  void on_acked(entries::iterator it, actions& out);
  void on_retriable(entries::iterator it, actions& out);
  void on_too_large(entries::iterator it, std::string const& what, actions& out);
  void on_refused(entries::iterator it, std::string const& what, actions& out);
  static bool strip(entry& e);
  bool make_fit(entry& e) const;
  bool live_fits(std::uint64_t bytes) const;
  bool live_may_go(entry const& e) const;
  bool& away(entry const& e) { return away_[static_cast<std::size_t>(e.record->topic)]; }
  std::uint64_t charge(record_ptr const& r) const { return r->wire_size() + s_.record_overhead; }

  // The backlog, retries, shutdown (delivery_fsm_backlog.cpp).
  void pump(actions& out);
  void produce_taken(actions& out);
  void condemn(entry const& e, reason why, std::string text, actions& out);
  void send_outcome(std::int64_t key, record_ptr outcome, actions& out);
  void bury(std::int64_t key, actions& out);
  void note_trouble();
  void retry(actions& out);
  void shut_down(actions& out);
  void wish(actions& out);

  // New producers for those that are stuck or broken (delivery_fsm_heal.cpp).
  void heal(actions& out);
  bool stalled();
  std::optional<delivery_time> next_look();

  delivery_fsm_settings s_;
  delivery_time now_{};
  entries entries_;
  std::uint64_t live_bytes_ = 0, backlog_bytes_ = 0, spooling_bytes_ = 0, with_kafka_ = 0;
  backlog_cursor backlog_;
  std::array<bool, 2> away_{};  // by topic: the circuit is open
  std::list<flight> flights_;   // what Kafka has, longest first
  std::optional<delivery_time> watch_at_, suspected_until_, healing_until_;
  delivery_time next_recreation_{};
  std::optional<std::string> broken_;  // why; known, not yet replaced
  std::uint64_t generation_ = 0;       // of the producers
  std::deque<entry> taken_;            // read from the spool, waiting for room
  std::map<std::int64_t, condemned> condemned_;
  std::map<std::int64_t, leaving> leaving_;
  bool anything_failed_ = false;  // in one of the two above
  std::optional<delivery_time> retry_at_;
  std::optional<delivery_time> deadline_;
  bool purged_ = false, gave_up_kafka_ = false, closed_ = false;
  std::optional<delivery_time> wished_;
  delivery_totals totals_;
};

}  // namespace profile_relay::server
