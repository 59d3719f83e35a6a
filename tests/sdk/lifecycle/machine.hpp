// A lifecycle with a scripted random source and a sampler that answers at once; keeps what it was asked to do.
#pragma once

#include <catch2/catch.hpp>
#include <deque>
#include <string>
#include <vector>

#include "sdk/lifecycle/lifecycle.hpp"

namespace profile_relay::sdk::test {

using namespace std::chrono_literals;

class scripted_random : public random_source {
 public:
  double uniform() override {
    ++draws;
    if (script.empty()) return 0.5;
    auto const value = script.front();
    script.pop_front();
    return value;
  }
  std::string new_id() override { return "id" + std::to_string(++ids); }

  std::deque<double> script;
  int draws = 0;
  int ids = 0;
};

inline lifecycle_settings manual(double rate) { return {.session_rate = rate}; }
inline lifecycle_settings trace(double rate) {
  return {.session_rate = rate, .lifecycle = profile_lifecycle::trace, .tracing = true};
}

class machine {
 public:
  explicit machine(lifecycle_settings settings, std::deque<double> draws = {})
      : random{}, fsm((random.script = std::move(draws), settings), random) {}

  /// The usual way to begin.
  machine& init(std::optional<launch_decision> last = {}, double app_start_rate = 0) {
    step(event::init{last, app_start_rate});
    return *this;
  }
  void step(lifecycle_event const& e) {
    std::vector<lifecycle_action> out;
    fsm.step(e, now, out);
    for (auto const& a : out) take(a);
  }
  start_result start() {
    answered_start.reset();
    step(event::start{});
    return answered_start.value();
  }
  stop_result stop() {
    answered_stop.reset();
    step(event::stop{});
    return answered_stop.value();
  }
  void begin_span(std::uint64_t id) { step(event::root_span_begun{id}); }
  void end_span(std::uint64_t id) { step(event::root_span_ended{id}); }
  bool sampling() const { return starts == stops + 1; }

  scripted_random random;
  lifecycle fsm;
  lifecycle_time now{0};
  bool sampler_runs = true;
  int starts = 0, stops = 0, chunks = 0;
  std::vector<std::string> ids;
  std::vector<std::string> warnings;
  std::vector<launch_decision> stored;
  std::vector<chunk_limits> limits;

 private:
  void take(lifecycle_action const& a) {
    if (auto const* s = std::get_if<action::start_sampler>(&a)) {
      if (sampler_runs) {
        REQUIRE(starts == stops);
        ++starts;
        ids.push_back(s->profiler_id);
      }
      step(event::sampler_answer{sampler_runs});
    } else if (std::get_if<action::stop_sampler>(&a)) {
      ++stops;
      ++chunks;
    } else if (std::get_if<action::next_chunk>(&a)) {
      ++chunks;
    } else if (auto const* w = std::get_if<action::warn>(&a)) {
      warnings.emplace_back(text_of(w->what));
    } else if (auto const* l = std::get_if<action::store_launch>(&a)) {
      stored.push_back(l->decision);
    } else if (auto const* c = std::get_if<action::set_limits>(&a)) {
      limits.push_back(c->limits);
    } else if (auto const* r = std::get_if<action::answer_start>(&a)) {
      answered_start = r->result;
    } else if (auto const* t = std::get_if<action::answer_stop>(&a)) {
      answered_stop = t->result;
    }
  }

  std::optional<start_result> answered_start;
  std::optional<stop_result> answered_stop;
};

using lines = std::vector<std::string>;

}  // namespace profile_relay::sdk::test
