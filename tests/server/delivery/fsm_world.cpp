#include "tests/server/delivery/fsm_world.hpp"

namespace profile_relay::server {

fsm_world::fsm_world(std::uint32_t seed, bool broker) : seed_(seed), rng_(seed) { restart(broker); }

void fsm_world::restart(bool broker) {
  settings_ = {};
  settings_.broker = broker;
  settings_.ack_spool = chance(20);
  settings_.max_message_bytes = 2000;
  settings_.record_overhead = rng_() % 200;
  settings_.producer_bytes = 4400 + rng_() % 8000;
  settings_.backlog_bytes = 500 + rng_() % 8000;
  settings_.stall = std::chrono::milliseconds(1 + rng_() % 20'000);
  fsm_ = std::make_unique<delivery_fsm>(settings_);
  at_kafka_.clear();
  deaf_ = false;
  generation_ = 0;
  away_.clear();
  no_room_.clear();
  // A process that ends has its writes synced or lost: what it queued is not done.
  spool_queue_.clear();
  wanted_outcomes_.clear();
  for (auto& [key, r] : rows_) r.in_flight = false;  // marks of a process that is gone
  wake_.reset();
  step(event::tick{});
}

void fsm_world::expect(bool ok, std::string const& what) {
  if (!ok) broken.push_back("seed " + std::to_string(seed_) + ": " + what);
}

void fsm_world::step(delivery_event e) {
  std::vector<delivery_action> out;
  fsm_->step(std::move(e), now_, out);
  for (auto const& a : out) std::visit([&](auto const& x) { act(x); }, a);
  while (!wanted_outcomes_.empty()) {
    auto const [key, dead] = wanted_outcomes_.front();
    wanted_outcomes_.pop_front();
    auto o = std::make_shared<profile::kafka_record>();
    o->topic = profile::logical_topic::outcomes;
    o->chunk_id = "ok outcome of " + dead->chunk_id;
    o->value = std::string(50, 'o');
    outcome_made_for_.insert(dead->chunk_id);
    step(event::outcome_made{key, o});
  }
  check_bytes();
}

void fsm_world::check_bytes() {
  expect(fsm_->in_flight_bytes() <= settings_.producer_bytes, "more bytes with Kafka than the budget");
  auto const largest = settings_.max_message_bytes + settings_.record_overhead;
  expect(fsm_->backlog_bytes() <= std::max(settings_.backlog_quota(), largest),
         "the backlog has more than its quota and no single large record");
}

void fsm_world::act(action::produce const& a) {
  expect(settings_.broker, "produced without a broker");
  expect(a.id >> 62 == 1 || !away_[a.record->topic] || no_room_.contains(a.id),
         "a live record was produced while the broker was away");
  expect(at_kafka_.emplace(a.id, a.record).second, "one id with Kafka twice");
  // Of an outcome there may be two after a restart, under one name.
  expect(!taken_out_.contains(a.record->chunk_id) || is(a.record, "ok outcome"),
         a.record->chunk_id + " was produced after its removal");
}

void fsm_world::act(action::purge const&) {
  // Some reports get lost on the way.
  std::erase_if(at_kafka_, [&](auto const&) { return chance(20); });
  // The rest comes back as not sent, or acknowledged if it was faster; each by its own report.
  broker_up_ = healthy_;
}

void fsm_world::act(action::recreate_producer const&) {
  // What the old one still delivers, nobody is told.
  for (auto const& [id, record] : at_kafka_)
    if (is(record, "ok") && chance(30)) acked_.insert(record->chunk_id);
  at_kafka_.clear();
  deaf_ = false;
  ++generation_;
}

void fsm_world::act(action::spool_put const& a) {
  spool_queue_.push_back([this, a]() -> delivery_event {
    if (!healthy_ && chance(15)) {
      no_room_.insert(a.id);
      return event::spool_failed{a.id, chance(50) ? spool_failure::full : spool_failure::io};
    }
    auto const key = next_key_++;
    rows_[key] = {a.record};
    return event::spooled{a.id, key};
  });
}

void fsm_world::act(action::spool_take const& a) {
  spool_queue_.push_back([this, a]() -> delivery_event {
    if (!healthy_ && chance(10)) return event::take_failed{};
    event::stored result;
    std::uint64_t bytes = 0;
    for (auto it = rows_.upper_bound(a.after_key); it != rows_.end(); ++it) {
      if (it->second.dead || it->second.in_flight) continue;
      bytes += it->second.record->wire_size();
      if (!result.records.empty() && bytes > a.max_bytes) break;
      it->second.in_flight = true;
      result.records.push_back({it->first, it->second.record, it->second.told});
    }
    return result;
  });
}

void fsm_world::act(action::spool_release const& a) {
  // What it cannot write now it writes with the next success, before anything else.
  spool_queue_.push_back([this, a]() -> delivery_event {
    for (auto const key : a.keys) {
      expect(rows_.contains(key) && rows_[key].in_flight, "released what was not in flight");
      rows_[key].in_flight = false;
    }
    return event::tick{};
  });
}

void fsm_world::act(action::spool_remove const& a) {
  spool_queue_.push_back([this, a]() -> delivery_event {
    if (!healthy_ && chance(10)) return event::remove_failed{a.key};
    expect(rows_.contains(a.key), "removed a row that is not there");
    expect(acked_.contains(rows_[a.key].record->chunk_id), "removed what was never acknowledged");
    rows_.erase(a.key);
    return event::removed{a.key};
  });
}

void fsm_world::act(action::spool_mark_dead const& a) {
  spool_queue_.push_back([this, a]() -> delivery_event {
    if (!healthy_ && chance(10)) return event::remove_failed{a.key};
    expect(rows_.contains(a.key), "buried a row that is not there");
    rows_[a.key] = {rows_[a.key].record, true, false, true};
    return event::removed{a.key};
  });
}

void fsm_world::act(action::resolve const& a) {
  auto const it = submitted_.find(a.id);
  if (it == submitted_.end()) return expect(false, "resolved twice, or never submitted");
  auto const& chunk = it->second;
  bool const in_spool = std::any_of(rows_.begin(), rows_.end(),
                                    [&](auto const& r) { return r.second.record->chunk_id == chunk; });
  if (a.end == record_end::delivered) expect(acked_.contains(chunk), "delivered without an acknowledgement");
  if (a.end == record_end::spooled) expect(in_spool, "spooled, but not in the spool");
  if (a.end == record_end::delivered || a.end == record_end::spooled) promised_.insert(chunk);
  submitted_.erase(it);
}

void fsm_world::act(action::emit_outcome const& a) {
  expect(rows_.contains(a.key) && !rows_[a.key].told, "a second outcome for " + a.dead->chunk_id);
  wanted_outcomes_.emplace_back(a.key, a.dead);
}

void fsm_world::submit() {
  static constexpr const char* kinds[] = {"ok", "ok", "ok", "ok", "ok", "ok", "refused", "fat", "huge"};
  auto r = std::make_shared<profile::kafka_record>();
  auto const id = next_id_++;
  r->chunk_id = std::string(kinds[rng_() % std::size(kinds)]) + std::to_string(id);
  auto const raw = chance(50) || r->chunk_id[0] == 'f' ? 1 + rng_() % 800 : 0;
  std::string const payload(1 + rng_() % 900, 'j'), trace(chance(3) ? raw + 2000 : raw, 'r');
  profile::profile_message m;
  m.payload = payload;
  m.raw_profile = std::as_bytes(std::span(trace));
  m.raw_profile_content_type = trace.empty() ? "" : "perfetto";
  r->value = profile::encode(m, &r->raw_offset);
  submitted_[id] = r->chunk_id;
  step(event::submit{id, std::move(r)});
}

void fsm_world::report_one() {
  if (at_kafka_.empty() || deaf_) return;
  auto it = at_kafka_.begin();
  std::advance(it, rng_() % at_kafka_.size());
  auto const [id, record] = *it;
  at_kafka_.erase(it);
  using kind = produce_report::kind;
  auto result = kind::acked;
  if (!broker_up_ || (!healthy_ && chance(10)))
    result = kind::retriable;
  else if (is(record, "refused"))
    result = kind::refused;
  else if (is(record, "huge") || (is(record, "fat") && record->raw_offset != 0))
    result = kind::too_large;
  if (result == kind::acked) {
    acked_.insert(record->chunk_id);
    away_[record->topic] = false;
  } else if (result == kind::retriable && id >> 62 != 1) {
    away_[record->topic] = true;
  }
  step(event::reported{{id, result, ""}});
}

void fsm_world::spool_answers() {
  if (spool_queue_.empty()) return;
  auto const work = std::move(spool_queue_.front());
  spool_queue_.pop_front();
  step(work());
}

void fsm_world::let_time_pass() {
  now_ += std::chrono::milliseconds(rng_() % 1500);
  if (wake_ && now_ >= *wake_) {
    wake_.reset();
    step(event::tick{});
  }
}

void fsm_world::break_producer() {
  if (!settings_.broker) return;
  if (chance(50))
    deaf_ = true;
  else
    step(event::producer_failed{chance(80) ? generation_ : generation_ - 1, "broken"});
}

void fsm_world::operate() {
  if (rows_.empty()) return;
  auto it = rows_.begin();
  std::advance(it, rng_() % rows_.size());
  auto& r = it->second;
  if (r.in_flight) return;
  if (!r.dead) {
    taken_out_.insert(r.record->chunk_id);
    rows_.erase(it);
  } else {
    r.dead = false;
  }
  auto const first = std::find_if(rows_.begin(), rows_.end(),
                                  [](auto const& x) { return !x.second.dead && !x.second.in_flight; });
  if (first != rows_.end()) step(event::revived{first->first});
}

void fsm_world::random_step() {
  if (chance(8)) return operate();
  if (chance(2)) return break_producer();
  switch (rng_() % 10) {
    case 0:
    case 1:
      return submit();
    case 2:
      broker_up_ = chance(70);
      return;
    case 3:
      return let_time_pass();
    case 4:
    case 5:
    case 6:
      return report_one();
    default:
      return spool_answers();
  }
}

void fsm_world::settle() {
  healthy_ = broker_up_ = true;
  for (int i = 0; i < 20'000; ++i) {
    if ((at_kafka_.empty() || deaf_) && spool_queue_.empty()) {
      if (!wake_) break;
      now_ = *wake_;
      wake_.reset();
      step(event::tick{});
    }
    spool_answers();
    report_one();
  }
  expect(at_kafka_.empty() && spool_queue_.empty() && !wake_, "does not come to rest");
  expect(submitted_.empty(), "a submitted record has no end");
  expect(fsm_->in_flight_bytes() == 0 && fsm_->in_flight_records() == 0,
         "bytes in flight do not return to 0");
  expect(fsm_->spooling_bytes() == 0, "bytes on the way to the spool do not return to 0");
  expect(std::none_of(rows_.begin(), rows_.end(), [](auto const& r) { return r.second.in_flight; }),
         "a record stays in flight");
  healthy_ = false;
}

void fsm_world::shut_down() {
  auto const deadline = now_ + std::chrono::milliseconds(rng_() % 3000);
  step(event::drain{deadline});
  for (int i = 0; i < 2000 && !fsm_->finished(); ++i) random_step();
  while (!fsm_->finished() && wake_) {
    now_ = *wake_;
    wake_.reset();
    step(event::tick{});
  }
  expect(fsm_->finished(), "the shutdown does not end");
  expect(submitted_.empty(), "a record has no end after the shutdown");
  expect(fsm_->in_flight_bytes() == 0, "bytes in flight after the shutdown");
}

void fsm_world::check_all_kept() {
  std::map<std::string, bool> kept;
  for (auto const& [key, r] : rows_) kept[r.record->chunk_id] |= r.dead;
  for (auto const& [chunk, dead] : kept) {
    expect(dead, chunk + " is still in the spool and not dead");
    // At least once: a copy that Kafka took may lie dead beside it only if it was refused later, which no
    // kind does.
    expect(!acked_.contains(chunk), chunk + " was delivered and kept");
    auto const outcome = "ok outcome of " + chunk;
    expect(acked_.contains(outcome) || taken_out_.contains(outcome), chunk + " is dead without its outcome");
  }
  for (auto const& chunk : promised_)
    expect(acked_.contains(chunk) || kept.contains(chunk) || taken_out_.contains(chunk), chunk + " is lost");
}

}  // namespace profile_relay::server
