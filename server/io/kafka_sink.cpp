#include "server/io/kafka_sink.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "server/io/kafka_config.hpp"
#include "server/io/kafka_errors.hpp"

namespace profile_relay::server {
namespace {

struct error_closer {
  void operator()(rd_kafka_error_t* e) const noexcept { rd_kafka_error_destroy(e); }
};
using error_ptr = std::unique_ptr<rd_kafka_error_t, error_closer>;

rd_kafka_vu_t argument(rd_kafka_vtype_t type) {
  rd_kafka_vu_t a{};
  a.vtype = type;
  return a;
}

rd_kafka_vu_t bytes(rd_kafka_vtype_t type, std::string const& s) {
  auto a = argument(type);
  a.u.mem.ptr = const_cast<char*>(s.data());  // NOLINT: a C interface; without F_FREE librdkafka only reads
  a.u.mem.size = s.size();
  return a;
}

}  // namespace

start_result<std::unique_ptr<kafka_sink>> kafka_sink::open(
    config::settings::processing_section const& processing, kafka_sink_options options) {
  std::unique_ptr<kafka_sink> sink(new kafka_sink(processing, std::move(options)));
  sink->wake_fd_ = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (sink->wake_fd_ < 0)
    return start_error{std::string("Kafka: no event descriptor: ") + std::strerror(errno)};
  for (auto const which : {profile::logical_topic::profiles, profile::logical_topic::outcomes})
    if (auto e = sink->open_topic(which)) return std::move(*e);
  if (!sink->wake()) return start_error{std::string("Kafka: no event descriptor: ") + std::strerror(errno)};
  return sink;
}

// librdkafka writes to the descriptor when its queue stops being empty. What came before it knew the
// descriptor (a connection refused at once) would keep the queue filled and everything after it unseen.
bool kafka_sink::wake() const {
  std::uint64_t const one = 1;
  return ::write(wake_fd_, &one, sizeof one) == sizeof one;
}

std::optional<start_error> kafka_sink::open_topic(profile::logical_topic which) {
  auto const& names = which == profile::logical_topic::profiles ? processing_.profiles : processing_.outcomes;
  auto& routes = to(which).routes;
  while (routes.size() < std::max(1u, processing_.kafka_producers)) {
    auto const via = producer_named(names.kafka_config, routes.size());
    if (!via) return via.error();
    auto topic = make_topic((*via)->handle.get(), which);
    if (!topic) return topic.error();
    routes.push_back({*via, std::move(*topic)});
  }
  return std::nullopt;
}

start_result<kafka_topic> kafka_sink::make_topic(rd_kafka_t* handle, profile::logical_topic which) {
  auto const& names = which == profile::logical_topic::profiles ? processing_.profiles : processing_.outcomes;
  kafka_topic topic(rd_kafka_topic_new(handle, names.name.c_str(), nullptr));
  if (!topic)
    return start_error{"Kafka: topic " + names.name + ": " + rd_kafka_err2str(rd_kafka_last_error())};
  return topic;
}

start_result<kafka_sink::producer*> kafka_sink::producer_named(std::string const& name, std::size_t number) {
  for (auto const& p : producers_)
    if (p->name == name && p->number == number) return p.get();
  auto handle = make_handle(name);
  if (!handle) return handle.error();
  auto p = std::make_unique<producer>();
  p->name = name;
  p->number = number;
  p->handle = std::move(*handle);
  p->batch_bytes = kafka_number(rd_kafka_conf(p->handle.get()), "batch.size");
  listen_to(*p);
  producers_.push_back(std::move(p));
  return producers_.back().get();
}

start_result<kafka_handle> kafka_sink::make_handle(std::string const& name) {
  auto conf = make_kafka_conf(processing_, name, options_.queue_bytes);
  if (!conf) return conf.error();
  rd_kafka_conf_set_opaque(conf->get(), this);
  rd_kafka_conf_set_dr_msg_cb(conf->get(), &on_report);
  rd_kafka_conf_set_log_cb(conf->get(), &on_log);
  rd_kafka_conf_set_error_cb(conf->get(), &on_error);
  std::array<char, 512> words{};
  // Log lines come through poll(), on our thread.
  rd_kafka_conf_set(conf->get(), "log.queue", "true", words.data(), words.size());
  kafka_handle handle(rd_kafka_new(RD_KAFKA_PRODUCER, conf->get(), words.data(), words.size()));
  if (!handle)
    return start_error{
        (name.empty() ? "processing.kafka_config" : "processing.secondary_kafka_configs." + name) + ": " +
        words.data()};
  (void)conf->release();  // rd_kafka_new owns it now
  rd_kafka_set_log_queue(handle.get(), nullptr);
  return handle;
}

void kafka_sink::listen_to(producer& p) {
  p.queue.reset(rd_kafka_queue_get_main(p.handle.get()));
  std::uint64_t const one = 1;
  rd_kafka_queue_io_event_enable(p.queue.get(), wake_fd_, &one, sizeof one);
}

std::optional<start_error> kafka_sink::recreate() {
  poll();  // what is known already need not be sent twice
  // From here on their reports are nobody's.
  for (auto& [ticket, f] : in_flight_) f.id = 0;
  if (!retirement_.has_room()) return start_error{"the producers that were given up before have not ended"};
  std::vector<kafka_handle> handles;
  for (auto const& p : producers_) {
    auto handle = make_handle(p->name);
    if (!handle) return handle.error();
    handles.push_back(std::move(*handle));
  }
  std::array<std::vector<kafka_topic>, 2> topics;
  for (std::size_t t = 0; t < topics_.size(); ++t)
    for (auto const& r : topics_[t].routes) {
      auto const at = std::ranges::find(producers_, r.via, &std::unique_ptr<producer>::get);
      auto topic = make_topic(handles[static_cast<std::size_t>(at - producers_.begin())].get(),
                              static_cast<profile::logical_topic>(t));
      if (!topic) return topic.error();
      topics[t].push_back(std::move(*topic));
    }

  retired_producers old;
  for (auto& [ticket, f] : in_flight_) old.records.push_back(std::move(f.record));
  in_flight_.clear();
  for (std::size_t t = 0; t < topics_.size(); ++t)
    for (std::size_t i = 0; i < topics[t].size(); ++i)
      old.topics.push_back(std::exchange(topics_[t].routes[i].topic, std::move(topics[t][i])));
  for (std::size_t i = 0; i < producers_.size(); ++i) {
    auto& p = *producers_[i];
    p.queue.reset();  // also takes the descriptor away from it
    old.handles.push_back(std::exchange(p.handle, std::move(handles[i])));
    p.bytes_under_way = 0;
    listen_to(p);
  }
  (void)wake();  // fails only if the descriptor is readable anyway
  retirement_.take(std::move(old));
  return std::nullopt;
}

kafka_sink::~kafka_sink() {
  for (auto& t : topics_) t.routes.clear();
  producers_.clear();  // waits for librdkafka's threads: nobody reads the records any more
  if (wake_fd_ >= 0) ::close(wake_fd_);
}

kafka_sink::route const& kafka_sink::destination::next() const {
  // With fewer, a handful of clients at once have small batches on both connections, which cost CPU and requests:
  // `./dev bench http` shows it with 1.
  constexpr std::uint64_t batches = 4;
  auto const has_room = [](route const& r) { return r.via->bytes_under_way < batches * r.via->batch_bytes; };
  if (auto const it = std::ranges::find_if(routes, has_room); it != routes.end()) return *it;
  return *std::ranges::min_element(routes, {}, [](route const& r) { return r.via->bytes_under_way; });
}

void kafka_sink::produce(std::uint64_t id, record_ptr record) {
  auto const& r = *record;
  auto const& d = to(r.topic).next();
  auto const ticket = next_ticket_++;
  in_flight_.emplace(ticket, in_flight{id, record, d.via});
  d.via->bytes_under_way += r.value.size();

  std::array<rd_kafka_vu_t, 5> a{};
  std::size_t n = 0;
  a[n] = argument(RD_KAFKA_VTYPE_RKT);
  a[n++].u.rkt = d.topic.get();
  a[n++] =
      bytes(RD_KAFKA_VTYPE_VALUE, r.value);  // neither F_COPY nor F_FREE: the record stays until its report
  a[n] = argument(RD_KAFKA_VTYPE_OPAQUE);
  a[n++].u.ptr = reinterpret_cast<void*>(ticket);  // NOLINT: a number in a pointer's clothes
  if (r.key) a[n++] = bytes(RD_KAFKA_VTYPE_KEY, *r.key);
  rd_kafka_headers_t* headers = nullptr;
  if (!r.headers.empty()) {
    headers = rd_kafka_headers_new(r.headers.size());
    for (auto const& [name, value] : r.headers)
      rd_kafka_header_add(headers, name.data(), static_cast<ssize_t>(name.size()), value.data(),
                          static_cast<ssize_t>(value.size()));
    a[n] = argument(RD_KAFKA_VTYPE_HEADERS);
    a[n++].u.headers = headers;
  }
  error_ptr const e(rd_kafka_produceva(d.via->handle.get(), a.data(), n));
  if (!e) return;
  if (headers) rd_kafka_headers_destroy(headers);
  finish(ticket, rd_kafka_error_code(e.get()), rd_kafka_error_string(e.get()));
}

void kafka_sink::finish(std::uintptr_t ticket, rd_kafka_resp_err_t result, char const* words) {
  auto const it = in_flight_.find(ticket);
  if (it == in_flight_.end()) return;
  auto const id = it->second.id;
  it->second.via->bytes_under_way -= it->second.record->value.size();
  in_flight_.erase(it);
  auto const kind = classify(result);
  options_.report({id, kind, kind == produce_report::kind::acked ? std::string() : std::string(words)});
}

void kafka_sink::purge() {
  for (auto const& p : producers_)
    rd_kafka_purge(p->handle.get(),
                   RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT | RD_KAFKA_PURGE_F_NON_BLOCKING);
}

void kafka_sink::poll() {
  std::uint64_t count = 0;
  // Before serving: what comes during it writes to the descriptor again.
  while (::read(wake_fd_, &count, sizeof count) < 0 && errno == EINTR) {
  }
  for (auto const& p : producers_)
    while (rd_kafka_poll(p->handle.get(), 0) > 0) {
    }
}

std::optional<start_error> kafka_sink::validate_topics(std::chrono::milliseconds timeout) {
  for (auto const& t : topics_) {
    auto const& d = t.first();
    rd_kafka_metadata_t const* raw = nullptr;
    auto const e =
        rd_kafka_metadata(d.via->handle.get(), 0, d.topic.get(), &raw, static_cast<int>(timeout.count()));
    std::unique_ptr<rd_kafka_metadata_t const, decltype(&rd_kafka_metadata_destroy)> const md(
        raw, &rd_kafka_metadata_destroy);
    std::string const topic = rd_kafka_topic_name(d.topic.get());
    if (e != RD_KAFKA_RESP_ERR_NO_ERROR)
      return start_error{"Kafka: no answer about topic " + topic + " from " +
                         kafka_property(rd_kafka_conf(d.via->handle.get()), "bootstrap.servers") +
                         " within " + std::to_string(timeout.count()) + " ms: " + rd_kafka_err2str(e) +
                         " (processing.kafka_validate_topics)"};
    auto const topic_error =
        raw->topic_cnt == 1 ? raw->topics[0].err : RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
    if (topic_error != RD_KAFKA_RESP_ERR_NO_ERROR)
      return start_error{"Kafka: topic " + topic + ": " + rd_kafka_err2str(topic_error) +
                         " (processing.kafka_validate_topics)"};
  }
  return std::nullopt;
}

std::uint64_t kafka_sink::max_message_bytes() const {
  return message_max_bytes(rd_kafka_conf(profiles().via->handle.get()));
}

std::string kafka_sink::brokers() const {
  return kafka_property(rd_kafka_conf(profiles().via->handle.get()), "bootstrap.servers");
}

std::size_t kafka_sink::queue_length() const {
  std::size_t n = 0;
  for (auto const& p : producers_) n += static_cast<std::size_t>(rd_kafka_outq_len(p->handle.get()));
  return n;
}

void kafka_sink::on_report(rd_kafka_t*, rd_kafka_message_t const* m, void* self) {
  static_cast<kafka_sink*>(self)->finish(reinterpret_cast<std::uintptr_t>(m->_private), m->err,
                                         rd_kafka_err2str(m->err));
}

void kafka_sink::on_log(rd_kafka_t const* k, int level, char const* facility, char const* line) {
  auto const* self = static_cast<kafka_sink*>(rd_kafka_opaque(k));
  if (self && self->options_.log) self->options_.log(level, std::string(facility) + ": " + line);
}

void kafka_sink::on_error(rd_kafka_t* k, int err, char const* why, void* self) {
  auto const code = static_cast<rd_kafka_resp_err_t>(err);
  // Single connections are in the log lines already; these two say something about all of them.
  if (code != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN && code != RD_KAFKA_RESP_ERR__FATAL) return;
  std::array<char, 512> words{};
  std::string line = why;
  if (code == RD_KAFKA_RESP_ERR__FATAL && rd_kafka_fatal_error(k, words.data(), words.size()) != 0)
    line = std::string("fatal: ") + words.data();
  auto const* s = static_cast<kafka_sink*>(self);
  if (s->options_.log) s->options_.log(3, line);
  if (code == RD_KAFKA_RESP_ERR__FATAL && s->options_.failed) s->options_.failed(line);
}

}  // namespace profile_relay::server
