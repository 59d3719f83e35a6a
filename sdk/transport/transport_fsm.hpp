// Which chunk is sent when, and what becomes of it.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "sdk/core/transport.hpp"
#include "sdk/transport/discards.hpp"

namespace profile_relay::sdk {

using send_time = std::chrono::steady_clock::time_point;
using chunk_ptr = std::shared_ptr<const profile_chunk>;

struct send_settings {
  /// Room for the two largest chunks: one on its way, one waiting.
  std::size_t max_queue_bytes = std::size_t{96} << 20;
  std::chrono::milliseconds first_pause{100};  ///< after a network error; doubled with each further one
  std::chrono::milliseconds longest_pause{std::chrono::minutes{15}};
  int attempts = 6;  ///< of one chunk
};

/// An answer as far as it matters.
struct http_answer {
  int status = 0;
  std::string rate_limits;                 ///< X-Sentry-Rate-Limits, several joined by ", "; "" = none
  std::optional<std::string> retry_after;  ///< Retry-After as sent
  std::string detail;                      ///< the beginning of the body, printable, for the log
  std::int64_t wall_s = 0;                 ///< when it came, in seconds since 1970
};

/// How a chunk ends.
enum class chunk_end : std::uint8_t {
  sent,
  discarded,  ///< by the server's answer, or because a rate limit holds
  dropped,    ///< for newer chunks, after the last attempt, or by close
};

/// What happens to the state machine.
namespace send_event {
struct submit {
  chunk_ptr chunk;
};
/// To the last send_action::post.
struct answered {
  http_answer answer;
};
/// Instead of it: no answer came.
struct failed {
  std::string why;
};
struct close {
  send_time deadline;
};
struct tick {};
}  // namespace send_event

using send_event_t = std::variant<send_event::submit, send_event::answered, send_event::failed,
                                  send_event::close, send_event::tick>;

/// What it wants done, in this order.
namespace send_action {
/// Answer with send_event::answered or failed. `report` goes into the same envelope.
struct post {
  chunk_ptr chunk;
  discard_counts report;
};
/// Once for every submitted chunk.
struct ended {
  std::string chunk_id;
  chunk_end end;
};
struct tell_limited {
  std::chrono::milliseconds wait;
};
struct tell_too_large {};
struct warn {
  std::string text;
};
/// Send send_event::tick at this time; replaces an earlier wish.
struct wake_at {
  send_time when;
};
}  // namespace send_action

using send_action_t = std::variant<send_action::post, send_action::ended, send_action::tell_limited,
                                   send_action::tell_too_large, send_action::warn, send_action::wake_at>;

/// Sending without I/O: events in, actions out, time as a value. At most one chunk is on its way, oldest first:
///
///             no room: the oldest that is not on its way ─► dropped      a limit holds ─► discarded
///   submit ───► waiting ───► on its way ── 2xx ─► sent
///                  ▲             │  └───── 3xx, 4xx, 5xx ─► discarded
///                  └─ no answer ─┘  6 times ─► dropped
///
/// Answers (profiling API, 5): whatever has a status is final. 413 also tells `too_large`; a limit that holds for profile
/// chunks, on any status, tells `limited` and discards what waits; 429 without a header that can be read limits for
/// Retry-After, or 60 s. 503 with Retry-After pauses for so long, at most `longest_pause`.
///
/// Pauses after network errors grow over chunks, not within one: 100 ms, 200 ms, ... 15 min until anything answers. So a
/// server that is away for an hour costs 17 attempts, in which two chunks are given up; the queue's bound decides how
/// many of the others are kept for it.
///
/// Client reports: what Relay wants to hear of (all that is discarded or dropped, but not a 429) is counted by reason and
/// told with the next chunk. It comes back into the count unless the answer is 2xx. An answer that got lost on its way
/// may so be told twice; what is counted after the last chunk is not told.
///
/// close(deadline): a pause after a network error ends, one that a server asked for does not. At the deadline what waits
/// is dropped, and what is on its way ends with the event that it is owed, which the caller must then bring soon. What is submitted afterwards is
/// dropped.
class transport_fsm {
 public:
  explicit transport_fsm(send_settings s) : s_(s) {}

  /// Takes one event; appends what is to be done. `now` never runs backwards.
  void step(send_event_t e, send_time now, std::vector<send_action_t>& out);

  /// Closed, and every chunk has ended.
  [[nodiscard]] bool finished() const { return deadline_ && queue_.empty(); }
  [[nodiscard]] std::chrono::milliseconds limited_for(send_time now) const;
  [[nodiscard]] transport_counts const& counts() const { return counts_; }
  /// Of the chunks that have not ended; never above max_queue_bytes.
  [[nodiscard]] std::size_t queued_bytes() const { return bytes_; }
  /// What no report has told yet.
  [[nodiscard]] discard_counts const& untold() const { return untold_; }

  /// What a chunk counts in the queue: its memory, and a little for its entry.
  [[nodiscard]] static std::size_t cost(profile_chunk const& chunk);

 private:
  struct entry {
    chunk_ptr chunk;
    std::size_t bytes;
    int attempts = 0;
  };
  using actions = std::vector<send_action_t>;

  void on(send_event::submit& e, actions& out);
  void on(send_event::answered& e, actions& out);
  void on(send_event::failed& e, actions& out);
  void on(send_event::close& e, actions& out);
  void on(send_event::tick& e, actions& out);
  void end(std::deque<entry>::iterator at, chunk_end how, actions& out);
  void discard_waiting(actions& out);
  void obey_limits(http_answer const& answer, actions& out);
  void pump(actions& out);
  [[nodiscard]] bool past_deadline() const { return deadline_ && now_ >= *deadline_; }

  send_settings s_;
  send_time now_{};
  std::deque<entry> queue_;  // oldest first; the front one may be on its way
  bool on_its_way_ = false;
  std::size_t bytes_ = 0;
  int failures_ = 0;          // in a row, over all chunks
  send_time next_attempt_{};  // after a network error
  send_time paused_until_{};  // as the server asked
  send_time limited_until_{};
  std::optional<send_time> deadline_;
  discard_counts untold_, being_told_;
  transport_counts counts_;
};

}  // namespace profile_relay::sdk
