// Random sequences of events against what must hold after each of them.
#include <random>

#include "machine.hpp"

using namespace profile_relay;
using namespace profile_relay::sdk;
using namespace profile_relay::sdk::test;

namespace {

struct model {
  std::set<std::uint64_t> open;
  std::set<std::string> ids_seen;
  bool initialised = false;
  bool closed = false;
  lifecycle_time limited_until{0};
};

lifecycle_settings any_settings(std::mt19937_64& rng) {
  auto const coin = [&] { return rng() % 2 == 0; };
  return {.session_rate = static_cast<double>(rng() % 3) / 2,
          .lifecycle = coin() ? profile_lifecycle::trace : profile_lifecycle::manual,
          .start_on_app_start = coin(),
          .has_state_dir = coin(),
          .tracing = rng() % 4 != 0,
          .transaction_profiling = rng() % 8 == 0,
          .debug = coin()};
}

/// One life of some 500 events.
void run(std::uint64_t seed, std::uint64_t& events, std::uint64_t& profiles) {
  std::mt19937_64 rng(seed);
  auto const settings = any_settings(rng);
  std::deque<double> draws(512);
  for (auto& d : draws) d = static_cast<double>(rng() % 1000) / 1000;
  machine m(settings, draws);
  model model;
  std::uint64_t next_span = 2;
  bool const traced = settings.lifecycle == profile_lifecycle::trace;

  for (int i = 0; i < 500; ++i, ++events) {
    m.now += std::chrono::milliseconds(rng() % 20'000);
    m.sampler_runs = rng() % 8 != 0;
    auto const was_running = m.fsm.running();
    auto const was_id = m.fsm.profiler_id();
    auto const was_starts = m.starts;
    auto const was_warnings = m.warnings.size();
    auto const kind = rng() % 32;
    std::optional<start_result> started;
    bool may_stop = false;
    if (kind == 0) {
      m.init(rng() % 2 ? std::optional<launch_decision>{{rng() % 2 == 0, rng() % 2 == 0}} : std::nullopt,
             0.5);
      model.initialised = true;
    } else if (kind < 8) {
      started = m.start();
    } else if (kind < 12) {
      may_stop = m.stop() == stop_result::stopped;
      CHECK(may_stop == (was_running && !traced));
    } else if (kind < 18) {
      if (m.fsm.asks_trace_sampler()) {
        m.begin_span(next_span);
        model.open.insert(next_span++);
      }
    } else if (kind < 25) {
      auto const id = model.open.empty() || rng() % 8 == 0 ? next_span + 100 : *model.open.begin();
      m.end_span(id);
      model.open.erase(id);
    } else if (kind < 28) {
      may_stop = traced && m.fsm.active_root_spans() == 0;
      m.step(event::chunk_due{});
    } else if (kind == 28) {
      auto const duration = std::chrono::milliseconds(rng() % 60'000);
      m.step(event::rate_limited{duration});
      model.limited_until = std::max(model.limited_until, m.now + duration);
      may_stop = true;
    } else if (kind == 29) {
      m.step(event::too_large{});
    } else if (kind == 30) {
      if (rng() % 2)
        m.step(event::user_session{});
      else
        m.step(event::app_start_finished{});
    } else if (rng() % 64 == 0) {
      m.step(event::close{});
      model.closed = true;
      model.open.clear();
      may_stop = true;
    }

    INFO("seed " << seed << " event " << i << " kind " << kind);
    REQUIRE(m.fsm.running() == (m.starts == m.stops + 1));
    REQUIRE(m.fsm.profiler_id().empty() == !m.fsm.running());
    if (m.starts != was_starts) {
      REQUIRE(m.starts == was_starts + 1);
      REQUIRE(model.ids_seen.insert(m.ids.back()).second);
      REQUIRE_FALSE(was_running);
      REQUIRE(settings.session_rate > 0);
      REQUIRE_FALSE(settings.transaction_profiling);
      REQUIRE(m.now >= model.limited_until);
      REQUIRE((model.initialised && !model.closed));
      ++profiles;
    } else if (was_running && m.fsm.running()) {
      REQUIRE(m.fsm.profiler_id() == was_id);
    }
    if (was_running && !m.fsm.running()) REQUIRE(may_stop);
    if (started) {
      REQUIRE((*started == start_result::started) == (m.starts == was_starts + 1));
      auto const says =
          settings.debug && *started != start_result::started && *started != start_result::not_initialised;
      REQUIRE(m.warnings.size() - was_warnings == (says ? 1u : 0u));
    }
    if (!settings.debug) REQUIRE(m.warnings.empty());
    for (auto const id : model.open) REQUIRE(m.fsm.is_active(id));
    REQUIRE(m.fsm.active_root_spans() <= model.open.size() + 1);
  }
}

}  // namespace

TEST_CASE(
    "random lives: one sampler, one id a profile, no start that a rule forbids, no stop without a reason") {
  std::uint64_t events = 0, profiles = 0;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) run(seed, events, profiles);
  CHECK(events == 100'000);
  CHECK(profiles > 1000);  // the runs reach what they are to test
}
