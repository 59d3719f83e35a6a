// The watchdog of delivery_fsm: producers that are stuck or broken are replaced.
#include <utility>

#include "server/core/delivery_fsm.hpp"

namespace profile_relay::server {

void delivery_fsm::on(event::producer_failed& e, actions&) {
  // Each producer says so for itself; one that is retired already is none of ours.
  if (e.generation == generation_ && !healing_until_) broken_ = std::move(e.why);
}

// By the age of the oldest record, not by the last report: one producer may be stuck while others report.
bool delivery_fsm::stalled() {
  if (s_.stall.count() == 0 || flights_.empty() || now_ < flights_.front().since + s_.stall) {
    suspected_until_.reset();
    return false;
  }
  if (!suspected_until_) suspected_until_ = now_ + s_.stall_confirm;
  return now_ >= *suspected_until_;
}

void delivery_fsm::heal(actions& out) {
  if (!s_.broker || purged_) return;
  if (!healing_until_) {
    if (deadline_) return;  // the purge of the shutdown does the same
    bool const stuck = stalled();
    if ((!stuck && !broken_) || now_ < next_recreation_) return;
    if (!broken_) {
      auto const age = std::chrono::duration_cast<std::chrono::seconds>(now_ - flights_.front().since);
      broken_ = "a record without a report for " + std::to_string(age.count()) + " s";
    }
    healing_until_ = now_ + s_.report_grace;
    if (with_kafka_ != 0) out.push_back(action::purge{});
  }
  if (with_kafka_ != 0 && now_ < *healing_until_) return;
  while (!flights_.empty()) {
    auto const it = entries_.find(flights_.front().id);
    leave_place(it->second);
    on_retriable(it, out);
  }
  out.push_back(action::recreate_producer{std::move(*broken_)});
  ++generation_;
  broken_.reset();
  healing_until_.reset();
  suspected_until_.reset();
  next_recreation_ = now_ + s_.recreate_pause;
}

// One look for each `stall` of traffic, not one for each record: setting a timer costs.
std::optional<delivery_time> delivery_fsm::next_look() {
  if (!s_.broker || deadline_) return healing_until_;
  if (healing_until_) return healing_until_;
  if (broken_ || (suspected_until_ && now_ >= *suspected_until_)) return next_recreation_;
  if (suspected_until_) return suspected_until_;
  if (watch_at_ && now_ < *watch_at_) return watch_at_;
  watch_at_.reset();
  if (s_.stall.count() != 0 && !flights_.empty()) watch_at_ = flights_.front().since + s_.stall;
  return watch_at_;
}

}  // namespace profile_relay::server
