#pragma once

#include <future>
#include <mutex>
#include <string>
#include <vector>

#include "server/io/delivery_driver.hpp"
#include "server/io/spool_reader.hpp"
#include "tests/server/delivery/mock_kafka.hpp"
#include "tests/server/delivery/spool_fixture.hpp"

namespace profile_relay::server {

inline profile::kafka_record message_of(std::string const& payload, std::string const& raw = {}) {
  profile::profile_message m;
  m.organization_id = 1;
  m.project_id = 42;
  m.received = 1'790'000'003;
  m.payload = payload;
  m.raw_profile = std::as_bytes(std::span(raw));
  m.raw_profile_content_type = raw.empty() ? "" : "perfetto";
  return profile::make_profile_record(m, "0123456789abcdef0123456789abcdef", 1'790'000'003'000);
}

/// A spool in a temporary folder and, if wanted, a mock broker; drivers come and go on them.
struct driver_fixture {
  config::settings settings() {
    config::settings s;
    s.spool.path = folder.path / "spool";
    return s;
  }
  config::settings with_broker(std::string const& timeout_ms = "60000") {
    return with_broker(kafka.bootstrap(), timeout_ms);
  }
  config::settings with_broker(std::string const& bootstrap, std::string const& timeout_ms) {
    auto s = settings();
    s.processing.kafka_config = {{"bootstrap.servers", bootstrap},
                                 {"message.timeout.ms", timeout_ms},
                                 {"reconnect.backoff.max.ms", "200"}};
    return s;
  }
  delivery_options options() {
    delivery_options o;
    auto const keep = [this](std::string const& line) {
      std::scoped_lock lock(mutex);
      lines += line + "\n";
    };
    o.log = {keep, keep, keep};
    return o;
  }
  std::unique_ptr<delivery_driver> start(config::settings const& s) { return start(s, options()); }
  static std::unique_ptr<delivery_driver> start(config::settings const& s, delivery_options o) {
    auto d = delivery_driver::start(s, std::move(o));
    if (!d) throw std::runtime_error(d.error().what);
    return std::move(*d);
  }
  static std::future<record_end> submit(delivery_driver& d, profile::kafka_record r) {
    auto p = std::make_shared<std::promise<record_end>>();
    auto f = p->get_future();
    d.submit(std::move(r), [p](record_end e) { p->set_value(e); });
    return f;
  }
  static record_end end_of(std::future<record_end> f) {
    if (f.wait_for(std::chrono::minutes(1)) != std::future_status::ready) throw std::runtime_error("no end");
    return f.get();
  }
  std::vector<spool_row> spool() {
    auto const r = spool_reader::open(folder.path / "spool");
    if (!r) throw std::runtime_error(r.error().what);
    return *r->list();
  }
  std::string logged() {
    std::scoped_lock lock(mutex);
    return lines;
  }

  temp_folder folder;
  mock_kafka kafka;
  std::mutex mutex;
  std::string lines;
};

inline std::chrono::steady_clock::time_point in(std::chrono::milliseconds d) {
  return std::chrono::steady_clock::now() + d;
}

}  // namespace profile_relay::server
