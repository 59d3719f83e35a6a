// When the profiler runs.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "sdk/lifecycle/lifecycle_events.hpp"
#include "sdk/lifecycle/random_source.hpp"

namespace profile_relay::sdk {

/// The options that the lifecycle depends on; the rates have been checked (0 to 1).
struct lifecycle_settings {
  std::optional<double> session_rate;
  profile_lifecycle lifecycle = profile_lifecycle::manual;
  bool start_on_app_start = false;
  bool has_state_dir = false;
  /// traces_sample_rate or traces_sampler is set.
  bool tracing = false;
  /// profiles_sample_rate or profiles_sampler is set.
  bool transaction_profiling = false;
  bool debug = false;
};

/// The profiling API's rules R1 to R20 without I/O: events in, actions out, time as a value.
///
///            init ──► idle ── start, or a sampled root span ──► starting ── sampler_answer{true} ──► running
///                      ▲                                           │                                    │
///                      ├──────────── sampler_answer{false} ────────┘                                    │
///                      └──── stop (manual); chunk_due without a root span (trace); rate_limited ────────┘
///
///   close leads from everywhere to closed. While limited nothing leaves idle, and the end of a limit starts nothing:
///   the next start or root span does.
///
/// Draws: one in init, one in each user_session; one more in init for the root span of the app start (R18). In the
/// trace lifecycle a stop is only possible when a chunk is due (R16), so a profile has whole chunks.
///
/// Not its business: threads, clocks, files, the sampler. Backed by tests/sdk/lifecycle (a table for each rule, random
/// runs).
class lifecycle {
 public:
  lifecycle(lifecycle_settings const& settings, random_source& random);

  /// Takes one event; appends what is to be done, in order.
  void step(lifecycle_event const& e, lifecycle_time now, std::vector<lifecycle_action>& out);

  [[nodiscard]] bool running() const { return phase_ == phase::running; }
  /// Empty unless running (R20).
  [[nodiscard]] std::string const& profiler_id() const { return id_; }
  /// A root span that begins now is to be put to the trace sampler (R15).
  [[nodiscard]] bool asks_trace_sampler() const;
  /// This root span was begun and has not ended: it keeps a profile running.
  [[nodiscard]] bool is_active(std::uint64_t id) const { return spans_.contains(id); }
  [[nodiscard]] std::size_t active_root_spans() const { return spans_.size(); }
  [[nodiscard]] chunk_limits const& limits() const { return limits_; }

  /// The root span of the app start; other root spans have ids above it.
  static constexpr std::uint64_t app_start_span = 1;

 private:
  enum class phase : std::uint8_t { fresh, idle, starting, running, closed };
  /// Who waits for the sampler's answer.
  enum class starter : std::uint8_t { call, root_span, app_start };
  using actions = std::vector<lifecycle_action>;

  void on(event::init const& e, actions& out);
  void on(event::start const& e, actions& out);
  void on(event::stop const& e, actions& out);
  void on(event::sampler_answer const& e, actions& out);
  void on(event::root_span_begun const& e, actions& out);
  void on(event::root_span_ended const& e, actions& out);
  void on(event::chunk_due const& e, actions& out);
  void on(event::rate_limited const& e, actions& out);
  void on(event::too_large const& e, actions& out);
  void on(event::user_session const& e, actions& out);
  void on(event::app_start_finished const& e, actions& out);
  void on(event::close const& e, actions& out);

  [[nodiscard]] bool traced() const { return s_.lifecycle == profile_lifecycle::trace; }
  [[nodiscard]] bool limited() const { return now_ < limited_until_; }
  [[nodiscard]] bool profiling_wanted() const;
  [[nodiscard]] bool draw();
  [[nodiscard]] start_result why_not_start() const;
  [[nodiscard]] stop_result why_not_stop() const;
  void begin(starter who, actions& out);
  void end(actions& out);
  void say(warning what, actions& out) const;

  lifecycle_settings s_;
  random_source& random_;
  lifecycle_time now_{0};
  phase phase_ = phase::fresh;
  starter starter_ = starter::call;
  bool sampled_ = false;
  std::string id_;
  std::string next_id_;
  std::set<std::uint64_t> spans_;
  lifecycle_time limited_until_{0};
  chunk_limits limits_;
  std::optional<lifecycle_time> halved_at_;
};

}  // namespace profile_relay::sdk
