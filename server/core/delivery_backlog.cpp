#include "server/core/delivery_backlog.hpp"

#include <algorithm>

namespace profile_relay::server {

void backlog_cursor::note_spooled() {
  more_ = true;
  spooled_while_taking_ = spooled_while_taking_ || taking_;
}

void backlog_cursor::note_failure(delivery_time now, std::optional<std::int64_t> key) {
  if (key) read_again(*key);
  last_failure_ = now;
  // The many reports of one outage count as one failure.
  if (!probing_ || now >= not_before_) pause_from(now);
  probing_ = true;
}

void backlog_cursor::note_success() {
  probing_ = false;
  pause_ = pauses_.first;
  // Not at once: where one topic works and another fails at once, success and failure would chase each other.
  not_before_ = std::min(not_before_, last_failure_ + pauses_.first);
}

void backlog_cursor::read_again(std::int64_t key) { floor_ = std::min(floor_.value_or(key), key); }

std::int64_t backlog_cursor::start() {
  if (!probing_ && floor_) {
    cursor_ = std::min(cursor_, *floor_ - 1);
    floor_.reset();
  }
  taking_ = true;
  spooled_while_taking_ = false;
  return cursor_;
}

void backlog_cursor::finish(delivery_time now, std::optional<std::int64_t> last_key) {
  taking_ = false;
  if (last_key) {
    cursor_ = std::max(cursor_, *last_key);
    more_ = true;
    return;
  }
  more_ = spooled_while_taking_;
  if (floor_ && probing_) {
    // A probing walk is through: the next probe begins with the oldest again.
    cursor_ = std::min(cursor_, *floor_ - 1);
    floor_.reset();
    more_ = true;
    not_before_ = std::max(not_before_, now + pauses_.first);
  }
}

void backlog_cursor::fail(delivery_time now) {
  taking_ = false;
  more_ = true;  // `start` may have given up the floor for this read
  pause_from(now);
}

void backlog_cursor::pause_from(delivery_time now) {
  not_before_ = now + pause_;
  pause_ = std::min(pause_ * 2, pauses_.longest);
}

}  // namespace profile_relay::server
