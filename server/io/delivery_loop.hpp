#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "server/core/delivery_fsm.hpp"
#include "server/io/delivery_driver.hpp"
#include "server/io/kafka_sink.hpp"
#include "server/io/sqlite_spool.hpp"

namespace profile_relay::server {

/// What of the loop readiness and metrics see; times as they are, ages are computed when asked.
struct loop_view {
  delivery_totals totals;
  std::uint64_t in_flight_records = 0, in_flight_bytes = 0;
  std::optional<delivery_time> last_ack;
  bool kafka_away = false;
  std::uint64_t producers_recreated = 0;
  /// Records have been with Kafka without a pause since then, or it was away.
  std::optional<delivery_time> busy_since;
};

/// Feeds events to the state machine and carries out its actions, one thread at a time: who has the turn. The delivery
/// thread sleeps in one io_context, which answers of the spool, librdkafka's queue (through a descriptor) and the machine's
/// timer wake. A submit does not wait for it: its own thread takes the turn when that is free, so that none need be woken. Who finds the turn taken leaves word and goes; the one who ends it sees to that.
class delivery_loop {
 public:
  delivery_loop(delivery_fsm_settings const& settings, delivery_options options);
  ~delivery_loop();

  /// For the spool's and the sink's handlers; before `start`.
  std::function<void(std::vector<delivery_event>)> spool_answers();
  std::function<void(produce_report)> kafka_reports();
  std::function<void(std::string const&)> kafka_failures();
  /// `sink` is null without a broker.
  void start(std::unique_ptr<sqlite_spool> spool, std::unique_ptr<kafka_sink> sink);

  void submit(profile::kafka_record record, std::function<void(record_end)> done);
  /// Sends event::drain, waits for the machine to finish, ends threads, spool and sink.
  delivery_counts shutdown(delivery_time deadline);

  loop_view view() const;
  spool_stats spool_now() const { return spool_->stats(); }

 private:
  struct submission {
    record_ptr record;
    std::function<void(record_end)> done;
  };

  // With mutex_ held.
  bool take_turn();  ///< false: somebody has it
  bool mail_waits() const { return poll_due_ || tick_due_ || !submissions_.empty() || !mail_.empty(); }
  // The delivery thread only.
  void turn();
  void watch_kafka();
  // All below, and the members down to mutex_: with the turn.
  void finish_turn() noexcept;
  void take_mail();
  void process();
  void act(action::produce& a);
  void act(action::purge& a);
  void act(action::recreate_producer& a);
  void act(action::spool_put& a);
  void act(action::spool_take& a);
  void act(action::spool_release& a);
  void act(action::spool_remove& a);
  void act(action::spool_mark_dead& a);
  void act(action::resolve& a);
  void act(action::emit_outcome& a);
  void act(action::wake_at& a);
  void note(produce_report const& r);
  void note_broker();
  void publish();
  void tell_ends();
  void finish_if_done();

  delivery_options options_;
  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  boost::asio::steady_timer timer_;
  std::unique_ptr<boost::asio::posix::stream_descriptor> kafka_ready_;
  std::unique_ptr<sqlite_spool> spool_;
  std::unique_ptr<kafka_sink> sink_;
  std::string brokers_;

  delivery_fsm fsm_;
  std::deque<delivery_event> events_;
  std::vector<delivery_action> actions_;
  std::vector<std::pair<std::function<void(record_end)>, record_end>> ended_;  // to be told
  std::unordered_map<std::uint64_t, std::function<void(record_end)>> waiting_;
  std::uint64_t next_id_ = 1;
  bool draining_ = false;
  bool broker_failing_ = false;
  std::string last_trouble_;
  std::uint64_t generation_ = 0;  // of the producers, as the machine counts it
  delivery_time next_warning_{};
  loop_view seen_;

  mutable std::mutex mutex_;  // guards what follows
  bool turn_taken_ = false;
  bool poll_due_ = false, tick_due_ = false;  ///< librdkafka has reports, it is time: for the delivery thread
  std::vector<submission> submissions_;
  std::vector<delivery_event> mail_;
  bool woken_ = false;
  bool closed_ = false;
  bool shutdown_called_ = false;
  loop_view published_;

  std::promise<void> finished_;
  std::thread thread_;
};

}  // namespace profile_relay::server
