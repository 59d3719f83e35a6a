#pragma once

#include <algorithm>
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "server/core/delivery_fsm.hpp"

namespace profile_relay::server {

/// A record whose chunk id tells it apart; `raw` bytes of its value belong to the raw trace.
inline record_ptr record_of(std::string chunk_id, std::size_t json = 100, std::size_t raw = 0,
                            profile::logical_topic topic = profile::logical_topic::profiles) {
  auto r = std::make_shared<profile::kafka_record>();
  r->topic = topic;
  r->chunk_id = std::move(chunk_id);
  // The layout that profile::encode gives a message of few keys: the map's length first, the raw keys last.
  profile::profile_message m;
  std::string const payload(json, 'j'), trace(raw, 'r');
  m.payload = payload;
  m.raw_profile = std::as_bytes(std::span(trace));
  m.raw_profile_content_type = raw ? "perfetto" : "";
  r->value = profile::encode(m, &r->raw_offset);
  return r;
}

/// Feeds events at a time of the script's choosing and shows the actions as short words, so that a test reads
/// as the sequence it is.
struct fsm_script {
  explicit fsm_script(delivery_fsm_settings s) : fsm(s) {}

  static delivery_fsm_settings broker() {
    delivery_fsm_settings s;
    s.broker = true;
    s.producer_bytes = 20'000;
    s.max_message_bytes = 5'000;
    s.record_overhead = 0;
    return s;
  }
  static delivery_fsm_settings no_broker() {
    auto s = broker();
    s.broker = false;
    return s;
  }

  std::vector<std::string> step(delivery_event e) {
    std::vector<delivery_action> out;
    fsm.step(std::move(e), now, out);
    std::vector<std::string> words;
    for (auto const& a : out) words.push_back(std::visit([&](auto const& x) { return word(x); }, a));
    return words;
  }
  std::vector<std::string> submit(std::uint64_t id, record_ptr r) {
    return step(event::submit{id, std::move(r)});
  }
  std::vector<std::string> report(std::uint64_t id, produce_report::kind k) {
    return step(event::reported{{id, k, "words of librdkafka"}});
  }
  std::vector<std::string> acked(std::uint64_t id) { return report(id, produce_report::kind::acked); }
  std::vector<std::string> retriable(std::uint64_t id) { return report(id, produce_report::kind::retriable); }
  std::vector<std::string> too_large(std::uint64_t id) { return report(id, produce_report::kind::too_large); }
  std::vector<std::string> refused(std::uint64_t id) { return report(id, produce_report::kind::refused); }
  std::vector<std::string> stored(std::vector<stored_record> r) { return step(event::stored{std::move(r)}); }
  std::vector<std::string> after(std::chrono::milliseconds d) {
    now += d;
    return step(event::tick{});
  }
  /// Lets the empty backlog of a fresh start pass: take, nothing there.
  void settle() {
    step(event::tick{});
    stored({});
  }

  std::string word(action::produce const& a) {
    last_produced = a.id;
    return "produce " + a.record->chunk_id + (a.record->raw_offset ? " with raw" : "");
  }
  std::string word(action::purge const&) { return "purge"; }
  std::string word(action::recreate_producer const& a) { return "new producers: " + a.why; }
  std::string word(action::spool_put const& a) {
    last_put = a.id;
    return "put " + a.record->chunk_id;
  }
  std::string word(action::spool_take const& a) {
    last_take_bytes = a.max_bytes;
    return "take after " + std::to_string(a.after_key);
  }
  std::string word(action::spool_release const& a) {
    std::string s = "release";
    for (auto const key : a.keys) s += " " + std::to_string(key);
    return s;
  }
  std::string word(action::spool_remove const& a) { return "remove " + std::to_string(a.key); }
  std::string word(action::spool_mark_dead const& a) {
    return "bury " + std::to_string(a.key) + ": " + a.why;
  }
  std::string word(action::resolve const& a) {
    return "resolve " + std::to_string(a.id) + " " + std::string(to_string(a.end));
  }
  std::string word(action::emit_outcome const& a) {
    auto const why = a.why == reason::internal ? "internal" : "too large";
    return "outcome for " + std::to_string(a.key) + " " + a.dead->chunk_id + " " + why;
  }
  std::string word(action::wake_at const& a) {
    return "wake in " +
           std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(a.when - now).count());
  }

  delivery_fsm fsm;
  delivery_time now{std::chrono::hours(1)};
  std::uint64_t last_produced = 0, last_put = 0, last_take_bytes = 0;
};

using words = std::vector<std::string>;

}  // namespace profile_relay::server
