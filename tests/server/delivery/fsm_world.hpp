#pragma once

#include <deque>
#include <functional>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "server/core/delivery_fsm.hpp"

namespace profile_relay::server {

/// A broker and a spool that live in memory and misbehave by chance, around one state machine. Says in
/// `broken` what promise was broken, with the seed to see it again.
///
/// Beside them an operator removes records and lets dead ones be sent again.
///
/// A record's chunk id says how the broker takes it: "ok", "refused", "fat" (too large with its raw trace),
/// "huge" (too large in any form), followed by a number.
class fsm_world {
 public:
  fsm_world(std::uint32_t seed, bool broker);

  /// One thing happens by chance.
  void random_step();
  /// Everything works from now on; runs until nothing is left to happen.
  void settle();
  /// Shuts down by chance early or late in the life of what is in flight, with reports and answers getting
  /// lost.
  void shut_down();
  /// A new process on the same spool.
  void restart(bool broker);
  /// What must be true once everything has settled with a broker.
  void check_all_kept();

  std::vector<std::string> broken;

 private:
  struct row {
    record_ptr record;
    bool dead = false, in_flight = false, told = false;
  };
  bool chance(unsigned percent) { return rng_() % 100 < percent; }
  void step(delivery_event e);
  void act(action::produce const& a);
  void act(action::purge const&);
  void act(action::recreate_producer const&);
  void act(action::spool_put const& a);
  void act(action::spool_take const& a);
  void act(action::spool_release const& a);
  void act(action::spool_remove const& a);
  void act(action::spool_mark_dead const& a);
  void act(action::resolve const& a);
  void act(action::emit_outcome const& a);
  void act(action::wake_at const& a) { wake_ = a.when; }
  void submit();
  void report_one();
  void spool_answers();
  void let_time_pass();
  /// Nothing is reported any more, until there is a new producer; or librdkafka calls one broken.
  void break_producer();
  /// Another process removes a record that is not in flight, or revives a dead one.
  void operate();
  void check_bytes();
  void expect(bool ok, std::string const& what);
  static bool is(record_ptr const& r, std::string_view kind) { return r->chunk_id.starts_with(kind); }

  std::uint32_t seed_;
  std::mt19937 rng_;
  delivery_fsm_settings settings_;
  std::unique_ptr<delivery_fsm> fsm_;
  delivery_time now_{std::chrono::hours(1)};
  std::optional<delivery_time> wake_;

  bool broker_up_ = true, healthy_ = false;
  std::map<std::uint64_t, record_ptr> at_kafka_;
  bool deaf_ = false;
  std::uint64_t generation_ = 0;
  std::map<profile::logical_topic, bool> away_;  // a live record failed, and nothing was acknowledged since
  std::set<std::uint64_t> no_room_;              // the spool refused these
  std::set<std::string> acked_;
  std::int64_t last_batch_key_ = 0;

  std::deque<std::function<delivery_event()>> spool_queue_;
  std::map<std::int64_t, row> rows_;
  std::int64_t next_key_ = 1;

  std::uint64_t next_id_ = 1;
  std::map<std::uint64_t, std::string> submitted_;  // without an end so far
  std::set<std::string> promised_;                  // answered delivered or spooled
  std::deque<std::pair<std::int64_t, record_ptr>> wanted_outcomes_;
  std::set<std::string> outcome_made_for_;
  std::set<std::string> taken_out_;  // by the operator
};

}  // namespace profile_relay::server
