#include "sdk/transport/http_transport.hpp"

#include <pthread.h>
#include <unistd.h>

#include <condition_variable>
#include <ctime>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <utility>

#include "sdk/transport/curl_post.hpp"
#include "sdk/transport/dsn.hpp"
#include "sdk/transport/envelope_text.hpp"
#include "sdk/transport/transport_fsm.hpp"
#include "sdk/transport/worker_signals.hpp"

namespace profile_relay::sdk {
namespace {

using clock = std::chrono::steady_clock;

/// While the thread is in a request; then a new warning takes the place of the last one.
constexpr std::size_t most_waiting = 64;

client_sdk own_name() { return {"profile-relay.profiler", PROFILER_VERSION}; }

curl_settings settings_for(transport_options const& options) {
  auto const parsed = parse_dsn(options.dsn);
  if (!parsed.value) throw std::invalid_argument(parsed.error);
  auto const name = own_name().name + "/" + own_name().version;
  curl_settings out;
  out.url = parsed.value->envelope_url();
  out.headers = {"X-Sentry-Auth: " + parsed.value->auth_header(name),
                 "Content-Type: application/x-sentry-envelope"};
  if (options.coding != content_coding::none) {
    out.headers.push_back("Content-Encoding: " + std::string(coding_name(options.coding)));
  }
  out.user_agent = name;
  out.ca_file = options.ca_file;
  out.connect_timeout = options.connect_timeout;
  out.stall_timeout = options.stall_timeout;
  out.request_timeout = options.request_timeout;
  return out;
}

/// Drives the state machine. The lock is held for its steps only: never for I/O, coding, or the client's functions.
class worker {
 public:
  worker(transport_options const& options, transport_events events)
      : coding_(options.coding),
        events_(std::move(events)),
        fsm_({.max_queue_bytes = options.max_queue_bytes}),
        curl_(settings_for(options)) {
    worker_signals const blocked;
    thread_ = std::thread([this] {
      try {
        run();
      } catch (...) {
        // No memory for a step of the machine. The application must not end for its profile.
        tell(events_.warn, std::string("no memory: no more profile chunks are sent"));
      }
    });
  }

  void send(profile_chunk chunk) {
    auto shared = std::make_shared<const profile_chunk>(std::move(chunk));
    std::lock_guard const lock(mutex_);
    step(send_event::submit{std::move(shared)});
  }

  std::chrono::milliseconds limited_for() {
    std::lock_guard const lock(mutex_);
    return fsm_.limited_for(clock::now());
  }

  transport_counts counts() {
    std::lock_guard const lock(mutex_);
    return fsm_.counts();
  }

  void close(std::chrono::milliseconds patience) {
    std::lock_guard const one_closes(close_mutex_);
    if (!thread_.joinable()) return;
    {
      std::lock_guard const lock(mutex_);
      deadline_ = clock::now() + patience;
      step(send_event::close{*deadline_});
    }
    curl_.wake();
    thread_.join();
  }

 private:
  void step(send_event_t e) {
    wish_.reset();
    std::vector<send_action_t> actions;
    fsm_.step(std::move(e), clock::now(), actions);
    for (auto& action : actions) {
      if (auto const* wake = std::get_if<send_action::wake_at>(&action)) {
        wish_ = wake->when;
      } else if (std::holds_alternative<send_action::ended>(action)) {
        continue;  // counted by the machine
      } else if (todo_.size() >= most_waiting && std::holds_alternative<send_action::warn>(action) &&
                 std::holds_alternative<send_action::warn>(todo_.back())) {
        todo_.back() = std::move(action);
      } else {
        todo_.push_back(std::move(action));
      }
    }
    changed_.notify_one();
  }

  void run() {
    ::pthread_setname_np(::pthread_self(), "profile-upload");
    std::unique_lock lock(mutex_);
    for (;;) {
      if (!todo_.empty()) {
        auto todo = std::exchange(todo_, {});
        lock.unlock();
        for (auto& action : todo) perform(action);
        todo.clear();
        lock.lock();
      } else if (fsm_.finished()) {
        return;
      } else if (!wish_) {
        changed_.wait(lock);
      } else if (auto const when = *wish_; clock::now() < when) {
        changed_.wait_until(lock, when);
      } else {
        step(send_event::tick{});
      }
    }
  }

  void perform(send_action_t& action) {
    if (auto* post = std::get_if<send_action::post>(&action)) {
      auto result = try_post(*post);
      std::lock_guard const lock(mutex_);
      if (result.answer) {
        step(send_event::answered{std::move(*result.answer)});
      } else {
        step(send_event::failed{std::move(result.error)});
      }
    } else if (auto const* limited = std::get_if<send_action::tell_limited>(&action)) {
      tell(events_.rate_limited, limited->wait);
    } else if (std::holds_alternative<send_action::tell_too_large>(action)) {
      tell(events_.too_large);
    } else if (auto const* warning = std::get_if<send_action::warn>(&action)) {
      tell(events_.warn, warning->text);
    }
  }

  post_result try_post(send_action::post const& post) {
    auto const deadline = [this] {
      std::lock_guard const lock(mutex_);
      return deadline_;
    };
    auto const cancelled = [&] {
      auto const until = deadline();
      return until && clock::now() >= *until;
    };
    try {
      auto const text = build_envelope(*post.chunk, own_name(), post.report, std::time(nullptr));
      auto const body = compress(coding_, text, cancelled);
      if (!body) return {{}, "given up at the deadline"};
      return curl_.post(*body, deadline);
    } catch (std::exception const& e) {
      // Most likely no memory, which may be there at the next attempt.
      return {{}, e.what()};
    }
  }

  template <class Function, class... Value>
  static void tell(Function const& function, Value const&... value) {
    if (!function) return;
    try {
      function(value...);
    } catch (...) {  // the host's; the thread must go on
    }
  }

  content_coding coding_;
  transport_events events_;
  std::mutex close_mutex_;
  std::mutex mutex_;
  std::condition_variable changed_;
  transport_fsm fsm_;                  // this and what follows: under mutex_
  std::vector<send_action_t> todo_;    // for the thread
  std::optional<send_time> wish_;      // when the machine wants a tick
  std::optional<send_time> deadline_;  // of close
  curl_post curl_;                     // the thread's alone
  std::thread thread_;
};

class http_transport final : public transport {
 public:
  http_transport(transport_options const& options, transport_events events)
      : worker_(std::make_unique<worker>(options, std::move(events))) {}
  ~http_transport() override {
    if (at_home()) {
      worker_->close(std::chrono::milliseconds{0});
    } else {
      // Locks and the condition variable are as the parent's threads left them: destroying them may hang.
      static_cast<void>(worker_.release());
    }
  }

  void send(profile_chunk chunk) override {
    if (at_home()) worker_->send(std::move(chunk));
  }
  [[nodiscard]] std::chrono::milliseconds limited_for() const override {
    return at_home() ? worker_->limited_for() : std::chrono::milliseconds{0};
  }
  [[nodiscard]] transport_counts counts() const override {
    return at_home() ? worker_->counts() : transport_counts{};
  }
  void close(std::chrono::milliseconds deadline) override {
    if (at_home()) worker_->close(deadline);
  }

 private:
  [[nodiscard]] bool at_home() const { return ::getpid() == pid_; }

  pid_t pid_ = ::getpid();
  std::unique_ptr<worker> worker_;
};

}  // namespace

std::unique_ptr<transport> make_http_transport(transport_options const& options, transport_events events) {
  return std::make_unique<http_transport>(options, std::move(events));
}

}  // namespace profile_relay::sdk
