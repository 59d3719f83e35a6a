#include <catch2/catch.hpp>
#include <numeric>
#include <optional>
#include <random>
#include <set>

#include "sdk/transport/transport_fsm.hpp"

using namespace profile_relay::sdk;
using namespace std::chrono_literals;

namespace {

std::uint64_t sum(discard_counts const& c) {
  return std::accumulate(c.by_reason.begin(), c.by_reason.end(), std::uint64_t{0});
}

/// Does at random what a client, a network and a server may do, and checks after each step what must always hold.
class random_run {
 public:
  explicit random_run(unsigned seed) : random_(seed), settings_{.max_queue_bytes = 20'000}, fsm_(settings_) {}

  void run(int steps) {
    for (int i = 0; i < steps; ++i) {
      switch (below(8)) {
        case 0:
        case 1:
        case 2:
          submit();
          break;
        case 3:
        case 4:
        case 5:
          answer();
          break;
        case 6:
          fail();
          break;
        default:
          now_ += below(4) == 0 ? std::chrono::milliseconds(below(2'000'000))
                                : std::chrono::milliseconds(below(500));
          step(send_event::tick{});
      }
    }
    close();
  }

  transport_counts const& counts() const { return fsm_.counts(); }
  std::size_t most_pending() const { return most_pending_; }

 private:
  std::size_t below(std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random_); }

  void submit() {
    auto chunk = std::make_shared<profile_chunk>();
    chunk->chunk_id = std::to_string(++submitted_);
    chunk->trace = std::string(below(10) == 0 ? below(30'000) : below(6'000), 't');
    pending_.insert(chunk->chunk_id);
    step(send_event::submit{std::move(chunk)});
  }

  void answer() {
    static constexpr int statuses[] = {200, 200, 200, 202, 302, 400, 413, 429, 500, 503};
    static constexpr char const* limits[] = {"", "", "", "0.5::key", "3:profile_chunk:key", "9:error:key",
                                             "x"};
    static constexpr char const* waits[] = {"", "", "2", "900000", "never"};
    if (!posted_) return;
    http_answer answer;
    answer.status = statuses[below(std::size(statuses))];
    answer.rate_limits = limits[below(std::size(limits))];
    if (std::string const wait = waits[below(std::size(waits))]; !wait.empty()) answer.retry_after = wait;
    bool const good = answer.status < 300;
    if (good) told_ += sum(posted_->report);
    if (answer.status == 429) ++silent_;
    may_be_sent_ = good ? posted_->chunk->chunk_id : "";
    posted_.reset();
    step(send_event::answered{std::move(answer)});
    REQUIRE(may_be_sent_.empty());
  }

  void fail() {
    if (!posted_) return;
    posted_.reset();
    step(send_event::failed{"away"});
  }

  void close() {
    auto const deadline = now_ + 1s;
    step(send_event::close{deadline});
    while (posted_ && below(4) > 0) answer();
    now_ = deadline;
    auto const before = fsm_.counts().dropped;
    step(send_event::tick{});
    fail();
    // What close drops can be told to nobody.
    silent_ += fsm_.counts().dropped - before;
    REQUIRE(fsm_.finished());
    REQUIRE(pending_.empty());
    REQUIRE(told_ + sum(fsm_.untold()) + silent_ == fsm_.counts().discarded + fsm_.counts().dropped);
  }

  void step(send_event_t e) {
    std::vector<send_action_t> actions;
    fsm_.step(std::move(e), now_, actions);
    for (auto& a : actions) {
      if (auto* ended = std::get_if<send_action::ended>(&a)) {
        REQUIRE(pending_.erase(ended->chunk_id) == 1);
        REQUIRE((ended->end == chunk_end::sent) == (ended->chunk_id == may_be_sent_));
        if (ended->end == chunk_end::sent) may_be_sent_.clear();
      } else if (auto* post = std::get_if<send_action::post>(&a)) {
        REQUIRE_FALSE(posted_);
        REQUIRE(pending_.contains(post->chunk->chunk_id));
        REQUIRE(fsm_.limited_for(now_) == 0ms);
        posted_ = *post;
      } else if (auto* wake = std::get_if<send_action::wake_at>(&a)) {
        REQUIRE(wake->when > now_);
        REQUIRE(wake->when <= now_ + settings_.longest_pause);
      }
    }
    auto const& counts = fsm_.counts();
    REQUIRE(fsm_.queued_bytes() <= settings_.max_queue_bytes);
    REQUIRE((fsm_.queued_bytes() == 0) == pending_.empty());
    REQUIRE((!posted_ || pending_.contains(posted_->chunk->chunk_id)));
    REQUIRE(submitted_ == pending_.size() + counts.sent + counts.discarded + counts.dropped);
    most_pending_ = std::max(most_pending_, pending_.size());
  }

 private:
  std::mt19937 random_;
  send_settings settings_;
  transport_fsm fsm_;
  send_time now_ = send_time{} + 1000h;
  std::size_t most_pending_ = 0;
  std::set<std::string> pending_;  // submitted and not ended
  std::optional<send_action::post> posted_;
  std::string may_be_sent_;
  std::uint64_t submitted_ = 0;
  std::uint64_t told_ = 0;    // in reports that were answered 2xx
  std::uint64_t silent_ = 0;  // ended in a way that no report tells
};

}  // namespace

TEST_CASE("random runs: every chunk ends once, bytes are bounded, reports add up") {
  // So that these were no runs of one kind.
  std::size_t most_pending = 0;
  transport_counts all;
  for (unsigned seed = 1; seed <= 400; ++seed) {
    INFO("seed " << seed);
    random_run run(seed);
    run.run(200);
    most_pending = std::max(most_pending, run.most_pending());
    all.sent += run.counts().sent;
    all.discarded += run.counts().discarded;
    all.dropped += run.counts().dropped;
    all.retries += run.counts().retries;
  }
  CHECK(most_pending > 3);
  CHECK(std::min({all.sent, all.discarded, all.dropped, all.retries}) > 500);
}
