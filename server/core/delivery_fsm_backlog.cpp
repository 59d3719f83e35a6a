// The second half of delivery_fsm: what the spool holds already, second tries, shutdown.
#include <algorithm>

#include "server/core/delivery_fsm.hpp"

namespace profile_relay::server {
namespace {

constexpr std::chrono::milliseconds retry_pause{1000};

}  // namespace

void delivery_fsm::on(event::stored& e, actions& out) {
  if (e.records.empty()) return backlog_.finish(now_, std::nullopt);
  // The broker failed while the spool was being read: one record is enough to see whether it is back.
  if (backlog_.probing() && e.records.size() > 1) {
    std::vector<std::int64_t> back;
    for (std::size_t i = 1; i < e.records.size(); ++i) back.push_back(e.records[i].key);
    e.records.resize(1);
    out.push_back(action::spool_release{std::move(back)});
  }
  backlog_.finish(now_, e.records.back().key);
  if (deadline_) return;
  for (auto& r : e.records)
    taken_.push_back({std::move(r.record), origin::backlog, place::kafka, r.key, false, 0, r.told});
}

void delivery_fsm::on(event::take_failed&, actions&) { backlog_.fail(now_); }
void delivery_fsm::on(event::revived& e, actions&) { backlog_.read_again(e.key); }

void delivery_fsm::pump(actions& out) {
  if (!s_.broker || deadline_ || healing_until_) return;
  produce_taken(out);
  if (!taken_.empty() || backlog_.taking() || !backlog_.pending() || now_ < backlog_.not_before()) return;
  // A record that cannot be removed from the spool would only be delivered again and again.
  if (anything_failed_) return;
  auto const quota = s_.backlog_quota();
  if (backlog_.probing()) {
    if (backlog_bytes_ == 0) out.push_back(action::spool_take{backlog_.start(), 1});
  } else if (backlog_bytes_ <= quota / 2) {
    out.push_back(action::spool_take{backlog_.start(), quota - backlog_bytes_});
  }
}

void delivery_fsm::produce_taken(actions& out) {
  for (; !taken_.empty(); taken_.pop_front()) {
    auto& e = taken_.front();
    auto const key = e.key;
    if (condemned_.contains(key) || leaving_.contains(key) || entries_.contains(backlog_id(key))) continue;
    if (!make_fit(e)) {
      condemn(e, reason::profiling_exceed_size_limit,
              "larger than message.max.bytes (" + std::to_string(s_.max_message_bytes) + ")", out);
      continue;
    }
    auto const bytes = charge(e.record);
    // A single record may be larger than the quota: half of the budget holds the largest.
    if (backlog_bytes_ != 0 && backlog_bytes_ + bytes > s_.backlog_quota()) return;
    if (live_bytes_ + backlog_bytes_ + bytes > s_.producer_bytes) return;
    auto const it = entries_.emplace(backlog_id(key), std::move(e)).first;
    to_kafka(it->first, it->second, out);
  }
}

void delivery_fsm::condemn(entry const& e, reason why, std::string text, actions& out) {
  condemned_[e.key] = {std::move(text), nullptr, false};
  // No outcome of an outcome, and none a second time.
  if (e.told || e.record->topic == profile::logical_topic::outcomes) return bury(e.key, out);
  out.push_back(action::emit_outcome{e.key, e.record, why});
}

void delivery_fsm::send_outcome(std::int64_t key, record_ptr outcome, actions& out) {
  admit(outcome_id(key), {std::move(outcome), origin::outcome, place::spool, key, false, 0}, out);
}

void delivery_fsm::bury(std::int64_t key, actions& out) {
  auto const c = condemned_.find(key);
  auto why = c == condemned_.end() ? std::string() : std::move(c->second.why);
  if (c != condemned_.end()) condemned_.erase(c);
  ++totals_.dead;
  leaving_[key] = {why, false};
  out.push_back(action::spool_mark_dead{key, std::move(why)});
}

void delivery_fsm::on(event::removed& e, actions&) { leaving_.erase(e.key); }

void delivery_fsm::on(event::remove_failed& e, actions&) {
  if (auto const it = leaving_.find(e.key); it != leaving_.end()) {
    it->second.failed = true;
    note_trouble();
  }
}

void delivery_fsm::note_trouble() {
  anything_failed_ = true;
  if (!retry_at_) retry_at_ = now_ + retry_pause;
}

void delivery_fsm::retry(actions& out) {
  if (!retry_at_ || now_ < *retry_at_ || deadline_) return;
  retry_at_.reset();
  anything_failed_ = false;
  for (auto& [key, l] : leaving_) {
    if (!std::exchange(l.failed, false)) continue;
    if (l.dead)
      out.push_back(action::spool_mark_dead{key, *l.dead});
    else
      out.push_back(action::spool_remove{key});
  }
  std::vector<std::pair<std::int64_t, record_ptr>>
      outcomes;  // sending may end one at once and change the map
  for (auto& [key, c] : condemned_)
    if (std::exchange(c.failed, false)) outcomes.emplace_back(key, c.outcome);
  for (auto& [key, outcome] : outcomes) send_outcome(key, std::move(outcome), out);
}

void delivery_fsm::on(event::drain& e, actions&) {
  if (deadline_) return;
  deadline_ = e.deadline;
  taken_.clear();
}

void delivery_fsm::on(event::tick&, actions&) { wished_.reset(); }

void delivery_fsm::shut_down(actions& out) {
  if (!deadline_ || closed_ || now_ < *deadline_) return;
  if (!purged_) {
    purged_ = true;
    healing_until_.reset();
    if (with_kafka_ != 0) out.push_back(action::purge{});
  }
  if (!gave_up_kafka_ && now_ >= *deadline_ + s_.report_grace) {
    gave_up_kafka_ = true;
    for (auto it = entries_.begin(); it != entries_.end();) {
      auto& e = it->second;
      if (e.at == place::kafka) {
        leave_place(e);
        if (e.from == origin::backlog) {
          it = entries_.erase(it);
          continue;
        }
        to_spool(it->first, e, out);
      }
      ++it;
    }
  }
  if (now_ < *deadline_ + s_.report_grace + s_.spool_grace) return;
  closed_ = true;
  while (!entries_.empty()) {
    auto const it = entries_.begin();
    leave_place(it->second);
    if (it->second.from == origin::live)
      resolve(it, record_end::unavailable, out);
    else
      entries_.erase(it);
  }
}

bool delivery_fsm::finished() const {
  if (closed_) return true;
  auto const waiting = [](auto const& l) { return !l.second.failed; };
  return deadline_ && entries_.empty() && std::none_of(leaving_.begin(), leaving_.end(), waiting);
}

void delivery_fsm::wish(actions& out) {
  std::optional<delivery_time> next = deadline_ ? std::nullopt : retry_at_;
  auto const sooner = [&](delivery_time t) { next = next ? std::min(*next, t) : t; };
  if (deadline_ && !finished()) {
    if (!purged_)
      sooner(*deadline_);
    else
      sooner(*deadline_ + s_.report_grace + (gave_up_kafka_ ? s_.spool_grace : std::chrono::milliseconds(0)));
  }
  if (auto const look = next_look()) sooner(*look);
  bool const resting = s_.broker && !deadline_ && backlog_.pending() && taken_.empty() && !backlog_.taking();
  if (resting && now_ < backlog_.not_before()) sooner(backlog_.not_before());
  if (next && next != wished_) out.push_back(action::wake_at{*next});
  wished_ = next;
}

}  // namespace profile_relay::server
