// R5, R7, R11, R17: what is said in debug mode, word for word and once; nothing without it.
#include "machine.hpp"

using namespace profile_relay;
using namespace profile_relay::sdk;
using namespace profile_relay::sdk::test;

namespace {

struct scene {
  char const* name;
  lifecycle_settings settings;
  void (*prepare)(machine&);
  void (*act)(machine&);
  std::string warning;
};

void nothing(machine&) {}
void init(machine& m) { m.init(); }
void start(machine& m) { m.start(); }
void stop(machine& m) { m.stop(); }

lifecycle_settings with(lifecycle_settings s, void (*change)(lifecycle_settings&)) {
  change(s);
  return s;
}

const std::vector<scene> scenes = {
    {"R5 already running", manual(1), [](machine& m) { m.init().start(); }, start,
     "start_profiler() does nothing: the profiler is already running"},
    {"R5 not sampled", manual(0), init, start,
     "start_profiler() does nothing: this session is not sampled (profile_session_sample_rate)"},
    {"R5 trace", trace(1), init, start,
     "start_profiler() does nothing: in the trace lifecycle, sampled root spans start the profiler"},
    {"R5 closed", manual(1), [](machine& m) { m.init().step(event::close{}); }, start,
     "start_profiler() does nothing: the profiler is closed"},
    {"R5 rate limited", manual(1), [](machine& m) { m.init().step(event::rate_limited{1s}); }, start,
     "start_profiler() does nothing: the server limits profiles at present"},
    {"R5 sampler", manual(1), [](machine& m) { m.init().sampler_runs = false; }, start,
     "start_profiler() does nothing: the sampler cannot run in this process"},
    {"stop, not running", manual(1), init, stop, "stop_profiler() does nothing: the profiler is not running"},
    {"R7 stop in trace", trace(1), [](machine& m) { m.init().begin_span(2); }, stop,
     "stop_profiler() does nothing: in the trace lifecycle, the end of the last root span stops the "
     "profiler"},
    {"stop, closed", manual(1), [](machine& m) { m.init().step(event::close{}); }, stop,
     "stop_profiler() does nothing: the profiler is closed"},
    {"span, sampler", trace(1), [](machine& m) { m.init().sampler_runs = false; },
     [](machine& m) { m.begin_span(2); },
     "a sampled root span is not profiled: the sampler cannot run in this process"},
    {"app start, sampler", with(manual(1), [](auto& s) { s.start_on_app_start = s.has_state_dir = true; }),
     [](machine& m) { m.sampler_runs = false; },
     [](machine& m) {
       m.init(launch_decision{true, true});
     },
     "the app start is not profiled: the sampler cannot run in this process"},
    {"R11", with(manual(1), [](auto& s) { s.transaction_profiling = true; }), nothing, init,
     "profiles_sample_rate or profiles_sampler is set: profile_session_sample_rate has no effect, and "
     "nothing is "
     "profiled, because transactions are not profiled here"},
    {"R17", with(trace(1), [](auto& s) { s.tracing = false; }), nothing, init,
     "profile_lifecycle is trace, but neither traces_sample_rate nor traces_sampler is set: nothing is "
     "profiled"},
    {"R18 no state_dir", with(manual(1), [](auto& s) { s.start_on_app_start = true; }), nothing, init,
     "start_profiler_on_app_start has no effect without state_dir: the next launch cannot know the decision"},
    {"rate limit while running", manual(1), [](machine& m) { m.init().start(); },
     [](machine& m) { m.step(event::rate_limited{1s}); }, "the profiler stops: the server limits profiles"},
    {"413", manual(1), init, [](machine& m) { m.step(event::too_large{}); },
     "the server refused a chunk as too large: chunks are half as long from now on"},
};

}  // namespace

TEST_CASE("R5, R7, R11, R17: a no-op says why, once and only in debug mode") {
  for (auto const& s : scenes) {
    for (bool const debug : {true, false}) {
      INFO(s.name << (debug ? ", debug" : ", not debug"));
      auto settings = s.settings;
      settings.debug = debug;
      machine m(settings);
      s.prepare(m);
      CHECK(m.warnings.empty());
      s.act(m);
      CHECK(m.warnings == (debug ? lines{s.warning} : lines{}));
    }
  }
}

TEST_CASE("R5: what does something says nothing") {
  auto settings = manual(1);
  settings.debug = true;
  machine m(settings);
  m.init();
  m.start();
  m.step(event::chunk_due{});
  m.stop();
  m.step(event::user_session{});
  m.step(event::close{});
  CHECK(m.warnings.empty());
}

TEST_CASE(
    "R11: with an option of transaction profiling the session rate has no effect and nothing is profiled") {
  for (auto settings : {manual(1), trace(1)}) {
    settings.transaction_profiling = true;
    settings.start_on_app_start = settings.has_state_dir = true;
    machine m(settings);
    m.init(launch_decision{true, true}, 1);
    m.start();
    m.begin_span(2);
    m.step(event::user_session{});
    m.start();
    m.begin_span(3);
    CHECK(m.starts == 0);
    CHECK(m.stored == std::vector{launch_decision{false, false}});
  }
}
