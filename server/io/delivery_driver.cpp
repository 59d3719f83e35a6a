#include "server/io/delivery_driver.hpp"

#include <algorithm>
#include <atomic>
#include <utility>

#include "server/io/delivery_loop.hpp"
#include "server/io/kafka_config.hpp"

namespace profile_relay::server {
namespace {

constexpr std::chrono::seconds topic_validation_timeout{30};

// Also without a broker: a typo must not wait for the day a broker is configured, and the message limit is
// needed.
struct kafka_limits {
  std::uint64_t message_bytes = 0;
  std::chrono::milliseconds stall{};
};

// Twice the time after which librdkafka has reported every record: message.timeout.ms, and the pause of its scan, which
// is a second, or longer while it waits to connect again. No timeout, no watchdog.
std::chrono::milliseconds stall_of(rd_kafka_conf_t const* conf) {
  auto const timeout = kafka_number(conf, "message.timeout.ms");
  auto const scan = std::max<std::uint64_t>(1000, kafka_number(conf, "reconnect.backoff.max.ms"));
  return std::chrono::milliseconds(timeout == 0 ? 0 : 2 * (timeout + scan));
}

start_result<kafka_limits> limits_of(config::settings::processing_section const& processing) {
  auto const profiles = make_kafka_conf(processing, processing.profiles.kafka_config, 1);
  if (!profiles) return profiles.error();
  auto const outcomes = make_kafka_conf(processing, processing.outcomes.kafka_config, 1);
  if (!outcomes) return outcomes.error();
  kafka_limits l;
  l.message_bytes = message_max_bytes(profiles->get());
  auto const one = stall_of(profiles->get()), other = stall_of(outcomes->get());
  if (one.count() != 0 && other.count() != 0) l.stall = std::max(one, other);
  return l;
}

std::function<void(int, std::string const&)> librdkafka_log(delivery_log const& log) {
  return [log](int level, std::string const& line) {
    auto const& to = level <= 4 ? log.warn : log.info;
    if (to) to("librdkafka: " + line);
  };
}

std::string first_line(spool_stats const& spool, std::filesystem::path const& dir,
                       std::string const& brokers) {
  return (brokers.empty() ? "delivery: no broker is configured, records stay in the spool"
                          : "delivery: to Kafka at " + brokers) +
         "; spool " + dir.string() + " holds " + std::to_string(spool.live_records) + " records and " +
         std::to_string(spool.dead_records) + " dead ones";
}

}  // namespace

struct delivery_driver::impl {
  impl(delivery_fsm_settings const& s, delivery_options o)
      : max_message_bytes(s.max_message_bytes), loop(s, std::move(o)) {}
  std::uint64_t max_message_bytes;
  bool has_broker = false;
  std::atomic<std::chrono::milliseconds> max_ack_age{};
  delivery_loop loop;
};

start_result<std::unique_ptr<delivery_driver>> delivery_driver::start(config::settings const& s,
                                                                      delivery_options options) {
  auto const limit = limits_of(s.processing);
  if (!limit) return limit.error();
  delivery_fsm_settings fsm;
  fsm.broker = s.processing.has_broker();
  fsm.ack_spool = s.processing.ack == config::ack_mode::spool;
  fsm.max_message_bytes = limit->message_bytes;
  fsm.stall = limit->stall;
  fsm.recreate_pause = options.recreate_pause;
  fsm.producer_bytes = options.max_inflight_bytes / 2;

  auto const log = options.log;
  spool_options so;
  so.dir = s.spool.path;
  so.max_disk_size = s.spool.max_disk_size;
  so.max_queue_bytes = std::max(options.max_inflight_bytes, 2 * limit->message_bytes);
  so.log_info = log.info;
  so.log_error = log.error;

  auto p = std::make_unique<impl>(fsm, std::move(options));
  p->has_broker = fsm.broker;
  p->max_ack_age = std::chrono::milliseconds(s.health.kafka_max_ack_age);
  so.answer = p->loop.spool_answers();
  auto spool = sqlite_spool::open(std::move(so));
  if (!spool) return spool.error();

  std::unique_ptr<kafka_sink> sink;
  if (fsm.broker) {
    auto opened = kafka_sink::open(s.processing, {fsm.producer_budget(), p->loop.kafka_reports(),
                                                  librdkafka_log(log), p->loop.kafka_failures()});
    if (!opened) return opened.error();
    sink = std::move(*opened);
    if (s.processing.kafka_validate_topics)
      if (auto e = sink->validate_topics(topic_validation_timeout)) return std::move(*e);
  }
  if (log.info) log.info(first_line((*spool)->stats(), s.spool.path, sink ? sink->brokers() : std::string()));
  p->loop.start(std::move(*spool), std::move(sink));
  return std::unique_ptr<delivery_driver>(new delivery_driver(std::move(p)));
}

delivery_driver::delivery_driver(std::unique_ptr<impl> p) : impl_(std::move(p)) {}
delivery_driver::~delivery_driver() = default;

void delivery_driver::submit(profile::kafka_record record, std::function<void(record_end)> done) {
  impl_->loop.submit(std::move(record), std::move(done));
}

delivery_status delivery_driver::status() const {
  auto const view = impl_->loop.view();
  auto const spool = impl_->loop.spool_now();
  auto const now = std::chrono::steady_clock::now();
  auto const age = [now](delivery_time t) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(now - t);
  };

  delivery_status s;
  s.kafka_configured = impl_->has_broker;
  if (view.last_ack) s.last_ack_age = age(*view.last_ack);
  if (view.busy_since) {
    // After a quiet hour the last acknowledgement is an hour old: the clock starts with the first record
    // after it.
    auto const since = std::max(view.last_ack.value_or(*view.busy_since), *view.busy_since);
    s.kafka_progress = age(since) < impl_->max_ack_age.load();
  }
  s.kafka_away = view.kafka_away;
  s.in_flight_records = view.in_flight_records;
  s.in_flight_bytes = view.in_flight_bytes;
  s.spool_has_room = spool.has_room;
  s.spool_failed = spool.failed;
  s.spool_records = spool.live_records;
  s.spool_bytes = spool.bytes;
  s.spool_dead_records = spool.dead_records;
  s.spool_set_aside = spool.set_aside;
  s.spool_salvaged = spool.salvage.salvaged;
  s.spool_lost = spool.salvage.lost;
  if (spool.oldest_ms) {
    auto const unix_now = std::chrono::duration_cast<std::chrono::milliseconds>(
        std::chrono::system_clock::now().time_since_epoch());
    s.oldest_spooled_age =
        std::max(unix_now - std::chrono::milliseconds(*spool.oldest_ms), std::chrono::milliseconds(0));
  }
  s.delivered_total = view.totals.delivered;
  s.spooled_total = view.totals.spooled;
  s.drained_total = view.totals.drained;
  s.failed_total = view.totals.failed;
  s.raw_dropped_total = view.totals.raw_dropped;
  s.late_reports_total = view.totals.late_reports;
  s.producers_recreated_total = view.producers_recreated;
  return s;
}

std::uint64_t delivery_driver::max_message_bytes() const { return impl_->max_message_bytes; }

void delivery_driver::set_max_ack_age(std::chrono::milliseconds age) { impl_->max_ack_age = age; }

delivery_counts delivery_driver::shutdown(std::chrono::steady_clock::time_point deadline) {
  return impl_->loop.shutdown(deadline);
}

}  // namespace profile_relay::server
