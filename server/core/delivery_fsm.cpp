#include "server/core/delivery_fsm.hpp"

#include <algorithm>
#include <cassert>

namespace profile_relay::server {
delivery_fsm::delivery_fsm(delivery_fsm_settings s) : s_(s), backlog_(s.drain_pauses) {
  s_.producer_bytes = s_.producer_budget();
}

void delivery_fsm::step(delivery_event e, delivery_time now, actions& out) {
  now_ = std::max(now_, now);
  std::visit([&](auto& x) { on(x, out); }, e);
  shut_down(out);
  heal(out);
  retry(out);
  pump(out);
  wish(out);
}

void delivery_fsm::on(event::submit& e, actions& out) {
  assert(e.record && e.id < first_internal_id && !entries_.contains(e.id));
  if (closed_) {
    ++totals_.failed;
    out.push_back(action::resolve{e.id, record_end::unavailable});
    return;
  }
  admit(e.id, {std::move(e.record), origin::live, place::spool, 0, false, 0}, out);
}

void delivery_fsm::admit(std::uint64_t id, entry e, actions& out) {
  auto const [it, fresh] = entries_.emplace(id, std::move(e));
  auto& added = it->second;
  // Also without a broker: what the spool takes must be deliverable one day.
  if (!make_fit(added)) {
    if (added.from == origin::live) return resolve(it, record_end::too_large, out);
    auto const key = added.key;
    entries_.erase(it);
    return bury(key, out);
  }
  if (s_.ack_spool || away(added) || !live_may_go(added)) return to_spool(id, added, out);
  to_kafka(id, added, out);
}

bool delivery_fsm::live_may_go(entry const& e) const {
  return s_.broker && !purged_ && !healing_until_ && live_fits(charge(e.record));
}

bool delivery_fsm::live_fits(std::uint64_t bytes) const {
  bool const backlog = backlog_.pending() || !taken_.empty() || backlog_bytes_ != 0;
  auto const limit = backlog ? s_.producer_bytes - s_.producer_bytes / 2 : s_.producer_bytes;
  return live_bytes_ + bytes <= limit && live_bytes_ + backlog_bytes_ + bytes <= s_.producer_bytes;
}

void delivery_fsm::to_kafka(std::uint64_t id, entry& e, actions& out) {
  e.at = place::kafka;
  e.tried_kafka = true;
  e.bytes = charge(e.record);
  (e.from == origin::backlog ? backlog_bytes_ : live_bytes_) += e.bytes;
  ++with_kafka_;
  e.at_kafka = flights_.insert(flights_.end(), {id, now_});
  out.push_back(action::produce{id, e.record});
}

void delivery_fsm::to_spool(std::uint64_t id, entry& e, actions& out) {
  e.at = place::spool;
  e.bytes = charge(e.record);
  spooling_bytes_ += e.bytes;
  out.push_back(action::spool_put{id, e.record});
}

void delivery_fsm::leave_place(entry const& e) {
  if (e.at == place::spool) {
    spooling_bytes_ -= e.bytes;
    return;
  }
  (e.from == origin::backlog ? backlog_bytes_ : live_bytes_) -= e.bytes;
  --with_kafka_;
  flights_.erase(e.at_kafka);
}

void delivery_fsm::resolve(entries::iterator it, record_end end, actions& out) {
  if (end == record_end::delivered)
    ++totals_.delivered;
  else if (end == record_end::spooled)
    ++totals_.spooled;
  else
    ++totals_.failed;
  if (it->second.stripped && (end == record_end::delivered || end == record_end::spooled))
    ++totals_.raw_dropped;
  out.push_back(action::resolve{it->first, end});
  entries_.erase(it);
}

bool delivery_fsm::strip(entry& e) {
  if (e.stripped || e.record->raw_offset == 0) return false;
  auto smaller = std::make_shared<profile::kafka_record>(*e.record);
  if (!profile::strip_raw_profile(*smaller)) return false;
  e.record = std::move(smaller);
  e.stripped = true;
  return true;
}

bool delivery_fsm::make_fit(entry& e) const {
  auto const fits = [&] { return e.record->wire_size() <= s_.max_message_bytes; };
  return fits() || (strip(e) && fits());
}

void delivery_fsm::on(event::reported& e, actions& out) {
  auto const it = entries_.find(e.value.id);
  if (it == entries_.end() || it->second.at != place::kafka) {
    ++totals_.late_reports;
    return;
  }
  leave_place(it->second);
  switch (e.value.result) {
    case produce_report::kind::acked:
      return on_acked(it, out);
    case produce_report::kind::retriable:
      return on_retriable(it, out);
    case produce_report::kind::too_large:
      return on_too_large(it, e.value.what, out);
    case produce_report::kind::refused:
      return on_refused(it, e.value.what, out);
  }
}

void delivery_fsm::on_acked(entries::iterator it, actions& out) {
  backlog_.note_success();
  away(it->second) = false;
  auto const key = it->second.key;
  switch (it->second.from) {
    case origin::live:
      return resolve(it, record_end::delivered, out);
    case origin::outcome:
      entries_.erase(it);
      return bury(key, out);
    case origin::backlog:
      break;
  }
  ++totals_.drained;
  if (it->second.stripped) ++totals_.raw_dropped;
  entries_.erase(it);
  leaving_[key];
  out.push_back(action::spool_remove{key});
}

void delivery_fsm::on_retriable(entries::iterator it, actions& out) {
  auto& e = it->second;
  if (e.from != origin::backlog) {
    backlog_.note_failure(now_, std::nullopt);
    away(e) = true;
    return to_spool(it->first, e, out);
  }
  backlog_.note_failure(now_, e.key);
  std::vector<std::int64_t> back{e.key};
  for (auto const& t : taken_) back.push_back(t.key);
  if (!taken_.empty()) backlog_.read_again(taken_.front().key);
  taken_.clear();
  entries_.erase(it);
  out.push_back(action::spool_release{std::move(back)});
}

void delivery_fsm::on_too_large(entries::iterator it, std::string const& what, actions& out) {
  auto& e = it->second;
  if (strip(e)) {
    bool const live = e.from != origin::backlog;
    if (!purged_ && !healing_until_ && !(live && away(e))) return to_kafka(it->first, e, out);
    if (live) return to_spool(it->first, e, out);
    if (!purged_) return on_retriable(it, out);  // it keeps its raw trace for the next try
    entries_.erase(it);
    return;
  }
  auto const gone = e;
  switch (gone.from) {
    case origin::live:
      return resolve(it, record_end::too_large, out);
    case origin::outcome:
      entries_.erase(it);
      return bury(gone.key, out);
    case origin::backlog:
      break;
  }
  entries_.erase(it);
  condemn(gone, reason::profiling_exceed_size_limit, what, out);
}

void delivery_fsm::on_refused(entries::iterator it, std::string const& what, actions& out) {
  auto& e = it->second;
  // Not answered yet, and the spool can still take it: there it is kept, listed, and refused once more by the
  // drain.
  if (e.from != origin::backlog) return to_spool(it->first, e, out);
  auto const gone = e;
  entries_.erase(it);
  condemn(gone, reason::internal, what, out);
}

void delivery_fsm::on(event::spooled& e, actions& out) {
  backlog_.note_spooled();
  auto const it = entries_.find(e.id);
  if (it == entries_.end() || it->second.at != place::spool) return;
  leave_place(it->second);
  if (it->second.from == origin::live) return resolve(it, record_end::spooled, out);
  auto const key = it->second.key;
  entries_.erase(it);
  bury(key, out);
}

void delivery_fsm::on(event::spool_failed& e, actions& out) {
  auto const it = entries_.find(e.id);
  if (it == entries_.end() || it->second.at != place::spool) return;
  leave_place(it->second);
  // With processing.ack: spool, over the producer's budget, or with an open circuit, Kafka was never asked.
  // Better late than lost; and with a full spool this is how a broker's return is noticed.
  if (auto& unasked = it->second; !unasked.tried_kafka && live_may_go(unasked))
    return to_kafka(it->first, unasked, out);
  if (it->second.from == origin::live) return resolve(it, record_end::unavailable, out);
  if (auto const c = condemned_.find(it->second.key); c != condemned_.end()) {
    c->second.failed = true;
    note_trouble();
  }
  entries_.erase(it);
}

void delivery_fsm::on(event::outcome_made& e, actions& out) {
  auto const c = condemned_.find(e.key);
  if (c == condemned_.end()) return;
  if (!e.outcome) return bury(e.key, out);
  c->second.outcome = e.outcome;
  send_outcome(e.key, e.outcome, out);
}

}  // namespace profile_relay::server
