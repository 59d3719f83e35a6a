#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "server/core/disposition.hpp"
#include "server/core/record_io.hpp"

namespace profile_relay::server {

using delivery_time = std::chrono::steady_clock::time_point;

/// What happens to the delivery state machine.
namespace event {
struct submit {
  std::uint64_t id;  ///< chosen by the caller, below 2^62, never used twice
  record_ptr record;
};
struct reported {
  produce_report value;
};
struct spooled {
  std::uint64_t id;
  std::int64_t key;
};
struct spool_failed {
  std::uint64_t id;
  spool_failure why;
};
/// The answer to action::spool_take, oldest first; empty = nothing lives after the key asked for.
struct stored {
  std::vector<stored_record> records;
};
struct take_failed {};
/// Somebody else wrote to the spool: records wait there again that the drain had passed, none below `key`.
struct revived {
  std::int64_t key;
};
struct removed {
  std::int64_t key;
};
struct remove_failed {
  std::int64_t key;
};
/// The answer to action::emit_outcome; null = no outcome is wanted.
struct outcome_made {
  std::int64_t key;
  record_ptr outcome;
};
/// A producer has said that it can do no more (a fatal error of librdkafka). `generation`: how many
/// action::recreate_producer had been carried out by then.
struct producer_failed {
  std::uint64_t generation;
  std::string why;
};
/// Shut down: finish what is in flight until `deadline`.
struct drain {
  delivery_time deadline;
};
struct tick {};
}  // namespace event

using delivery_event =
    std::variant<event::submit, event::reported, event::spooled, event::spool_failed, event::stored,
                 event::take_failed, event::revived, event::removed, event::remove_failed,
                 event::outcome_made, event::producer_failed, event::drain, event::tick>;

/// What the state machine wants done, in this order.
namespace action {
struct produce {
  std::uint64_t id;
  record_ptr record;
};
/// Give up what librdkafka holds; the reports follow.
struct purge {};
/// Retire the producers and make new ones. No report of what the old ones hold may come under its id any more; what
/// they still read must stay in memory. If it cannot be done: event::producer_failed.
struct recreate_producer {
  std::string why;
};
struct spool_put {
  std::uint64_t id;
  record_ptr record;
};
struct spool_take {
  std::int64_t after_key;
  std::uint64_t max_bytes;
};
/// These are not sent now: they wait in the spool again.
struct spool_release {
  std::vector<std::int64_t> keys;
};
struct spool_remove {
  std::int64_t key;
};
struct spool_mark_dead {
  std::int64_t key;
  std::string why;
};
/// The one answer to event::submit.
struct resolve {
  std::uint64_t id;
  record_end end;
};
/// Make an outcome for the stored record `key`, which the broker refused for good after its 200; answer with
/// event::outcome_made.
struct emit_outcome {
  std::int64_t key;
  record_ptr dead;
  reason why;
};
/// Send event::tick at this time; replaces an earlier wish.
struct wake_at {
  delivery_time when;
};
}  // namespace action

using delivery_action =
    std::variant<action::produce, action::purge, action::recreate_producer, action::spool_put,
                 action::spool_take, action::spool_release, action::spool_remove, action::spool_mark_dead,
                 action::resolve, action::emit_outcome, action::wake_at>;

}  // namespace profile_relay::server
