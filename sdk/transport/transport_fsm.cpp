#include "sdk/transport/transport_fsm.hpp"

#include <algorithm>

#include "sdk/transport/rate_limits.hpp"

namespace profile_relay::sdk {
namespace {

constexpr std::chrono::seconds default_limit{60};
constexpr std::size_t entry_overhead = 1024;

std::string describe(http_answer const& answer) {
  auto text = "the server answered " + std::to_string(answer.status);
  if (!answer.detail.empty()) text += ": " + answer.detail;
  return text;
}

}  // namespace

std::size_t transport_fsm::cost(profile_chunk const& chunk) {
  return chunk.trace.capacity() + chunk.release.capacity() + chunk.environment.capacity() + entry_overhead;
}

std::chrono::milliseconds transport_fsm::limited_for(send_time now) const {
  // Rounded up: a limit that is not over is never 0.
  return now < limited_until_ ? std::chrono::ceil<std::chrono::milliseconds>(limited_until_ - now)
                              : std::chrono::milliseconds{0};
}

void transport_fsm::step(send_event_t e, send_time now, std::vector<send_action_t>& out) {
  now_ = now;
  std::visit([&](auto& what) { on(what, out); }, e);
  pump(out);
}

void transport_fsm::on(send_event::submit& e, actions& out) {
  auto const bytes = cost(*e.chunk);
  auto const refuse = [&](chunk_end how) {
    ++(how == chunk_end::discarded ? counts_.discarded : counts_.dropped);
    out.emplace_back(send_action::ended{e.chunk->chunk_id, how});
  };
  if (deadline_) return refuse(chunk_end::dropped);
  if (now_ < limited_until_) {
    ++untold_[discard_reason::ratelimit_backoff];
    return refuse(chunk_end::discarded);
  }
  auto const room = [&] { return bytes <= s_.max_queue_bytes - bytes_; };
  // Dropping the older ones makes no room for a chunk that does not fit beside the one on its way.
  auto const kept = on_its_way_ ? queue_.front().bytes : 0;
  bool const never = bytes > s_.max_queue_bytes - kept;
  std::uint64_t lost = never ? 1 : 0;
  while (!never && !room()) {
    end(queue_.begin() + (on_its_way_ ? 1 : 0), chunk_end::dropped, out);
    ++lost;
  }
  if (lost > 0) {
    untold_[discard_reason::queue_overflow] += lost;
    out.emplace_back(send_action::warn{"profile chunks wait for the server and fill the queue: dropped " +
                                       std::to_string(lost)});
  }
  if (never) return refuse(chunk_end::dropped);
  bytes_ += bytes;
  queue_.push_back({std::move(e.chunk), bytes});
}

void transport_fsm::on(send_event::answered& e, actions& out) {
  auto const& answer = e.answer;
  bool const good = answer.status >= 200 && answer.status < 300;
  on_its_way_ = false;
  failures_ = 0;
  if (!good) untold_ += being_told_;
  being_told_ = {};
  if (!good && answer.status != 429) ++untold_[discard_reason::send_error];
  end(queue_.begin(), good ? chunk_end::sent : chunk_end::discarded, out);
  if (!good) out.emplace_back(send_action::warn{describe(answer) + ": discarded a profile chunk"});
  if (answer.status == 413) out.emplace_back(send_action::tell_too_large{});
  if (answer.status == 503 && answer.retry_after) {
    if (auto const wait = parse_retry_after(*answer.retry_after, answer.wall_s)) {
      paused_until_ = now_ + std::min<std::chrono::milliseconds>(*wait, s_.longest_pause);
    }
  }
  obey_limits(answer, out);
}

void transport_fsm::obey_limits(http_answer const& answer, actions& out) {
  auto const header = parse_rate_limits(answer.rate_limits);
  auto limit = header.chunks;
  if (answer.status == 429 && !header.understood) {
    limit = answer.retry_after ? parse_retry_after(*answer.retry_after, answer.wall_s) : std::nullopt;
    limit = limit.value_or(default_limit);
  }
  if (!limit || now_ + *limit <= limited_until_ || limit->count() == 0) return;
  limited_until_ = now_ + *limit;
  out.emplace_back(send_action::tell_limited{*limit});
  out.emplace_back(
      send_action::warn{"the server limits profile chunks for " + std::to_string(limit->count()) + " s"});
  discard_waiting(out);
}

void transport_fsm::on(send_event::failed& e, actions& out) {
  on_its_way_ = false;
  untold_ += being_told_;
  being_told_ = {};
  if (past_deadline()) return;  // pump drops it with the others
  auto& first = queue_.front();
  if (failures_ == 0) out.emplace_back(send_action::warn{"sending a profile chunk failed: " + e.why});
  // The pause before the first doubling that would pass the longest one: no shift overflows.
  auto pause = s_.first_pause;
  for (int i = 0; i < failures_ && pause < s_.longest_pause; ++i) pause *= 2;
  next_attempt_ = now_ + std::min(pause, s_.longest_pause);
  ++failures_;
  if (++first.attempts < s_.attempts) return;
  ++untold_[discard_reason::network_error];
  out.emplace_back(send_action::warn{"dropped a profile chunk after " + std::to_string(s_.attempts) +
                                     " attempts: " + e.why});
  end(queue_.begin(), chunk_end::dropped, out);
}

void transport_fsm::on(send_event::close& e, actions&) {
  deadline_ = e.deadline;
  next_attempt_ = now_;
}

void transport_fsm::on(send_event::tick&, actions&) {}

void transport_fsm::end(std::deque<entry>::iterator at, chunk_end how, actions& out) {
  switch (how) {
    case chunk_end::sent:
      ++counts_.sent;
      break;
    case chunk_end::discarded:
      ++counts_.discarded;
      break;
    case chunk_end::dropped:
      ++counts_.dropped;
      break;
  }
  bytes_ -= at->bytes;
  out.emplace_back(send_action::ended{at->chunk->chunk_id, how});
  queue_.erase(at);
}

void transport_fsm::discard_waiting(actions& out) {
  while (!queue_.empty()) {
    ++untold_[discard_reason::ratelimit_backoff];
    end(queue_.begin(), chunk_end::discarded, out);
  }
}

void transport_fsm::pump(actions& out) {
  if (on_its_way_ || queue_.empty()) return;
  if (past_deadline()) {
    out.emplace_back(send_action::warn{"dropped profile chunks that were not sent in time: " +
                                       std::to_string(queue_.size())});
    while (!queue_.empty()) end(queue_.begin(), chunk_end::dropped, out);
    return;
  }
  auto const due = std::max(next_attempt_, paused_until_);
  if (now_ < due) {
    out.emplace_back(send_action::wake_at{deadline_ ? std::min(due, *deadline_) : due});
    return;
  }
  on_its_way_ = true;
  if (queue_.front().attempts > 0) ++counts_.retries;
  being_told_ = untold_;
  untold_ = {};
  out.emplace_back(send_action::post{queue_.front().chunk, being_told_});
}

}  // namespace profile_relay::sdk
