#include "server/io/delivery_loop.hpp"

#include <boost/asio/post.hpp>
#include <utility>

namespace profile_relay::server {
namespace {

constexpr std::chrono::seconds warning_pause{30};

delivery_time now() { return std::chrono::steady_clock::now(); }

void say(std::function<void(std::string const&)> const& to, std::string const& line) {
  if (to) to(line);
}

}  // namespace

delivery_loop::delivery_loop(delivery_fsm_settings const& settings, delivery_options options)
    : options_(std::move(options)), work_(io_.get_executor()), timer_(io_), fsm_(settings) {}

delivery_loop::~delivery_loop() {
  if (thread_.joinable()) shutdown(now());
}

std::function<void(std::vector<delivery_event>)> delivery_loop::spool_answers() {
  return [this](std::vector<delivery_event> answers) {
    bool wake = false;
    {
      std::scoped_lock lock(mutex_);
      for (auto& e : answers) mail_.push_back(std::move(e));
      wake = !std::exchange(woken_, true);
    }
    // Not under the lock, which the woken thread wants first.
    if (wake) boost::asio::post(io_, [this] { turn(); });
  };
}

std::function<void(produce_report)> delivery_loop::kafka_reports() {
  return [this](produce_report r) {
    note(r);
    events_.push_back(event::reported{std::move(r)});
  };
}

std::function<void(std::string const&)> delivery_loop::kafka_failures() {
  return [this](std::string const& why) { events_.push_back(event::producer_failed{generation_, why}); };
}

void delivery_loop::start(std::unique_ptr<sqlite_spool> spool, std::unique_ptr<kafka_sink> sink) {
  spool_ = std::move(spool);
  sink_ = std::move(sink);
  if (sink_) {
    brokers_ = sink_->brokers();
    kafka_ready_ = std::make_unique<boost::asio::posix::stream_descriptor>(io_, sink_->wake_fd());
  }
  tick_due_ = true;
  boost::asio::post(io_, [this] {
    if (sink_) watch_kafka();
    turn();
  });
  thread_ = std::thread([this] { io_.run(); });
}

void delivery_loop::submit(profile::kafka_record record, std::function<void(record_end)> done) {
  auto shared = std::make_shared<const profile::kafka_record>(std::move(record));
  {
    std::scoped_lock lock(mutex_);
    if (!closed_) {
      submissions_.push_back({std::move(shared), std::move(done)});
      if (!take_turn()) return;
      done = nullptr;
    }
  }
  if (done) return done(record_end::unavailable);
  finish_turn();
}

bool delivery_loop::take_turn() { return !std::exchange(turn_taken_, true); }

void delivery_loop::turn() {
  bool poll = false, tick = false;
  {
    std::scoped_lock lock(mutex_);
    woken_ = false;
    if (!mail_waits() || !take_turn()) return;
    poll = std::exchange(poll_due_, false);
    tick = std::exchange(tick_due_, false);
  }
  // Reports that wait come before the time they are late by.
  if (sink_ && (poll || tick)) sink_->poll();
  if (poll) watch_kafka();
  if (tick) events_.push_back(event::tick{});
  finish_turn();
}

/// An exception here ends the process: a turn that nobody ends would leave every record without an end. What came meanwhile
/// is the delivery thread's, or a client's thread could be kept at it for ever.
void delivery_loop::finish_turn() noexcept {
  take_mail();
  process();
  bool wake = false;
  {
    std::scoped_lock lock(mutex_);
    turn_taken_ = false;
    wake = mail_waits() && !std::exchange(woken_, true);
  }
  if (wake) boost::asio::post(io_, [this] { turn(); });
}

void delivery_loop::take_mail() {
  std::vector<submission> submissions;
  std::vector<delivery_event> mail;
  {
    std::scoped_lock lock(mutex_);
    submissions.swap(submissions_);
    mail.swap(mail_);
  }
  for (auto& e : mail) {
    if (std::holds_alternative<event::drain>(e)) draining_ = true;
    events_.push_back(std::move(e));
  }
  for (auto& s : submissions) {
    auto const id = next_id_++;
    waiting_.emplace(id, std::move(s.done));
    events_.push_back(event::submit{id, std::move(s.record)});
  }
}

void delivery_loop::process() {
  while (!events_.empty()) {
    auto e = std::move(events_.front());
    events_.pop_front();
    fsm_.step(std::move(e), now(), actions_);
    for (auto& a : actions_) std::visit([this](auto& x) { act(x); }, a);
    actions_.clear();
  }
  note_broker();
  publish();
  tell_ends();
  finish_if_done();
}

// After publish(): whoever gets an answer finds it in the counts.
void delivery_loop::tell_ends() {
  for (auto const& [done, end] : ended_) done(end);
  ended_.clear();
}

void delivery_loop::watch_kafka() {
  kafka_ready_->async_wait(boost::asio::posix::stream_descriptor::wait_read,
                           [this](boost::system::error_code ec) {
                             if (ec) return;
                             {
                               std::scoped_lock lock(mutex_);
                               poll_due_ = true;
                             }
                             turn();
                           });
}

void delivery_loop::act(action::produce& a) { sink_->produce(a.id, std::move(a.record)); }
void delivery_loop::act(action::purge&) { sink_->purge(); }
void delivery_loop::act(action::recreate_producer& a) {
  auto const failed = sink_->recreate();
  ++generation_;
  if (failed) {
    say(options_.log.error, "Kafka: no new producers: " + failed->what);
    events_.push_back(event::producer_failed{generation_, a.why});
    return;
  }
  ++seen_.producers_recreated;
  say(options_.log.warn, "Kafka: new producers, the old ones are given up: " + a.why);
}

void delivery_loop::act(action::spool_put& a) { spool_->put(a.id, std::move(a.record)); }
void delivery_loop::act(action::spool_take& a) { spool_->take_oldest(a.after_key, a.max_bytes); }
void delivery_loop::act(action::spool_release& a) { spool_->release(std::move(a.keys)); }
void delivery_loop::act(action::spool_remove& a) { spool_->remove(a.key); }

void delivery_loop::act(action::spool_mark_dead& a) {
  say(options_.log.warn,
      "spool: record " + std::to_string(a.key) + " cannot be delivered and is kept as dead: " + a.why);
  spool_->mark_dead(a.key, std::move(a.why));
}

void delivery_loop::act(action::resolve& a) {
  auto const it = waiting_.find(a.id);
  ended_.emplace_back(std::move(it->second), a.end);
  waiting_.erase(it);
}

void delivery_loop::act(action::emit_outcome& a) {
  record_ptr outcome;
  if (options_.make_outcome)
    if (auto made = options_.make_outcome(*a.dead, a.why))
      outcome = std::make_shared<const profile::kafka_record>(std::move(*made));
  events_.push_back(event::outcome_made{a.key, std::move(outcome)});
}

void delivery_loop::act(action::wake_at& a) {
  timer_.expires_at(a.when);
  timer_.async_wait([this](boost::system::error_code ec) {
    if (ec) return;
    {
      std::scoped_lock lock(mutex_);
      tick_due_ = true;
    }
    turn();
  });
}

void delivery_loop::note(produce_report const& r) {
  if (r.result == produce_report::kind::acked)
    seen_.last_ack = now();
  else
    last_trouble_ = r.what;
}

void delivery_loop::note_broker() {
  if (std::exchange(broker_failing_, fsm_.broker_failing()) == broker_failing_ || draining_) return;
  auto const t = now();
  if (broker_failing_ && t >= next_warning_) {
    next_warning_ = t + warning_pause;
    say(options_.log.warn, "Kafka at " + brokers_ + " does not take records (" + last_trouble_ +
                               "): they go to the spool until it does");
  } else if (!broker_failing_) {
    say(options_.log.info, "Kafka at " + brokers_ + " takes records again");
  }
}

void delivery_loop::publish() {
  seen_.totals = fsm_.totals();
  seen_.in_flight_records = fsm_.in_flight_records();
  seen_.in_flight_bytes = fsm_.in_flight_bytes();
  seen_.kafka_away = fsm_.kafka_away();
  if (seen_.in_flight_records == 0 && !seen_.kafka_away)
    seen_.busy_since.reset();
  else if (!seen_.busy_since)
    seen_.busy_since = now();
  std::scoped_lock lock(mutex_);
  published_ = seen_;
}

loop_view delivery_loop::view() const {
  std::scoped_lock lock(mutex_);
  return published_;
}

void delivery_loop::finish_if_done() {
  if (!fsm_.finished()) return;
  {
    std::scoped_lock lock(mutex_);
    // A submit that came in meanwhile gets its turn: take_mail is on its way.
    if (!submissions_.empty() || std::exchange(closed_, true)) return;
  }
  boost::asio::post(io_, [this] {
    timer_.cancel();
    if (kafka_ready_) (void)kafka_ready_->release();  // the sink owns the descriptor
    work_.reset();
    finished_.set_value();
  });
}

delivery_counts delivery_loop::shutdown(delivery_time deadline) {
  delivery_totals before;
  {
    std::scoped_lock lock(mutex_);
    if (std::exchange(shutdown_called_, true)) return {};
    before = published_.totals;
    mail_.push_back(event::drain{deadline});
  }
  boost::asio::post(io_, [this] { turn(); });
  finished_.get_future().wait();
  spool_->close();
  thread_.join();
  sink_.reset();
  auto const after = view().totals;
  return {after.delivered - before.delivered, after.spooled - before.spooled, after.failed - before.failed};
}

}  // namespace profile_relay::server
