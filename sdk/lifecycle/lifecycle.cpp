#include "sdk/lifecycle/lifecycle.hpp"

#include <algorithm>

namespace profile_relay::sdk {
namespace {

constexpr std::chrono::hours halving_pause{1};

std::optional<warning> warning_of(start_result result) {
  switch (result) {
    case start_result::already_running:
      return warning::start_already_running;
    case start_result::not_sampled:
      return warning::start_not_sampled;
    case start_result::trace_lifecycle:
      return warning::start_trace_lifecycle;
    case start_result::closed:
      return warning::start_closed;
    case start_result::rate_limited:
      return warning::start_rate_limited;
    case start_result::sampler_unavailable:
      return warning::start_sampler_unavailable;
    case start_result::started:
    case start_result::not_initialised:
      return {};
  }
  return {};
}

std::optional<warning> warning_of(stop_result result) {
  switch (result) {
    case stop_result::not_running:
      return warning::stop_not_running;
    case stop_result::trace_lifecycle:
      return warning::stop_trace_lifecycle;
    case stop_result::closed:
      return warning::stop_closed;
    case stop_result::stopped:
    case stop_result::not_initialised:
      return {};
  }
  return {};
}

}  // namespace

lifecycle::lifecycle(lifecycle_settings const& settings, random_source& random)
    : s_(settings), random_(random) {}

void lifecycle::step(lifecycle_event const& e, lifecycle_time now, actions& out) {
  now_ = std::max(now_, now);
  std::visit([&](auto const& x) { on(x, out); }, e);
}

bool lifecycle::asks_trace_sampler() const {
  return traced() && s_.tracing && sampled_ && phase_ != phase::fresh && phase_ != phase::closed;
}

void lifecycle::on(event::init const& e, actions& out) {
  if (phase_ != phase::fresh) return;
  phase_ = phase::idle;
  if (s_.transaction_profiling) say(warning::transaction_profiling, out);
  if (traced() && !s_.tracing) say(warning::trace_without_tracing, out);
  sampled_ = draw();
  if (!s_.start_on_app_start) return;
  if (!s_.has_state_dir) return say(warning::app_start_without_state_dir, out);

  auto const app_start = sampled_ && (!traced() || random_.uniform() < e.app_start_rate);
  out.push_back(action::store_launch{{sampled_, app_start}});
  if (!e.stored) return;
  // The last launch decided for this one; but what is switched off now stays off.
  sampled_ = e.stored->session && profiling_wanted();
  if (!sampled_ || (traced() && !(e.stored->app_start && s_.tracing))) return;
  if (traced()) spans_.insert(app_start_span);
  begin(starter::app_start, out);
}

void lifecycle::on(event::start const&, actions& out) {
  auto const result = why_not_start();
  if (result == start_result::started) return begin(starter::call, out);
  if (auto const what = warning_of(result)) say(*what, out);
  out.push_back(action::answer_start{result});
}

start_result lifecycle::why_not_start() const {
  if (phase_ == phase::fresh) return start_result::not_initialised;
  if (phase_ == phase::closed) return start_result::closed;
  if (traced()) return start_result::trace_lifecycle;
  if (phase_ != phase::idle) return start_result::already_running;
  if (!sampled_) return start_result::not_sampled;
  if (limited()) return start_result::rate_limited;
  return start_result::started;
}

void lifecycle::on(event::stop const&, actions& out) {
  auto const result = why_not_stop();
  if (result == stop_result::stopped) end(out);
  if (auto const what = warning_of(result)) say(*what, out);
  out.push_back(action::answer_stop{result});
}

stop_result lifecycle::why_not_stop() const {
  if (phase_ == phase::fresh) return stop_result::not_initialised;
  if (phase_ == phase::closed) return stop_result::closed;
  if (traced()) return stop_result::trace_lifecycle;
  if (phase_ != phase::running) return stop_result::not_running;
  return stop_result::stopped;
}

void lifecycle::on(event::sampler_answer const& e, actions& out) {
  if (phase_ != phase::starting) return;
  phase_ = e.running ? phase::running : phase::idle;
  if (e.running) id_ = std::move(next_id_);
  next_id_.clear();
  switch (starter_) {
    case starter::call:
      if (!e.running) say(warning::start_sampler_unavailable, out);
      out.push_back(
          action::answer_start{e.running ? start_result::started : start_result::sampler_unavailable});
      break;
    case starter::root_span:
      if (!e.running) say(warning::span_sampler_unavailable, out);
      break;
    case starter::app_start:
      if (!e.running) say(warning::app_start_sampler_unavailable, out);
      break;
  }
}

void lifecycle::on(event::root_span_begun const& e, actions& out) {
  if (!asks_trace_sampler()) return;
  spans_.insert(e.id);
  if (phase_ == phase::idle && !limited()) begin(starter::root_span, out);
}

void lifecycle::on(event::root_span_ended const& e, actions&) { spans_.erase(e.id); }

void lifecycle::on(event::chunk_due const&, actions& out) {
  if (phase_ != phase::running) return;
  if (traced() && spans_.empty()) return end(out);
  out.push_back(action::next_chunk{});
}

void lifecycle::on(event::rate_limited const& e, actions& out) {
  limited_until_ = std::max(limited_until_, now_ + e.duration);
  if (phase_ != phase::running || !limited()) return;
  end(out);
  say(warning::stopped_by_rate_limit, out);
}

void lifecycle::on(event::too_large const&, actions& out) {
  if (halved_at_ && now_ - *halved_at_ < halving_pause) return;
  auto const smaller = halved(limits_);
  if (smaller == limits_) return;
  halved_at_ = now_;
  limits_ = smaller;
  out.push_back(action::set_limits{limits_});
  say(warning::chunks_halved, out);
}

void lifecycle::on(event::user_session const&, actions&) {
  if (phase_ == phase::fresh || phase_ == phase::closed) return;
  sampled_ = draw();
}

void lifecycle::on(event::app_start_finished const&, actions& out) {
  on(event::root_span_ended{app_start_span}, out);
}

void lifecycle::on(event::close const&, actions& out) {
  if (phase_ == phase::running) end(out);
  phase_ = phase::closed;
  spans_.clear();
}

bool lifecycle::profiling_wanted() const {
  return !s_.transaction_profiling && s_.session_rate.value_or(0) > 0;
}

bool lifecycle::draw() { return random_.uniform() < s_.session_rate.value_or(0) && profiling_wanted(); }

void lifecycle::begin(starter who, actions& out) {
  phase_ = phase::starting;
  starter_ = who;
  next_id_ = random_.new_id();
  out.push_back(action::start_sampler{next_id_});
}

void lifecycle::end(actions& out) {
  phase_ = phase::idle;
  id_.clear();
  out.push_back(action::stop_sampler{});
}

void lifecycle::say(warning what, actions& out) const {
  if (s_.debug) out.push_back(action::warn{what});
}

}  // namespace profile_relay::sdk
