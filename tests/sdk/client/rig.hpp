// A client over fakes: time moves when the test says so, and the worker runs inside wake().
#pragma once

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "sdk/client/client.hpp"

namespace profile_relay::sdk::test {

using namespace std::chrono_literals;
using lines = std::vector<std::string>;

/// What the fakes saw and what they shall do; outlives the client.
struct world {
  std::int64_t now_ns = 1'000'000'000;
  std::deque<double> draws;
  int drawn = 0, ids = 0;
  bool id_throws = false;  // once

  tick_sink* sink = nullptr;
  bool sampler_runs = true, sampler_throws = false, transport_throws = false;
  int sampler_starts = 0, sampler_stops = 0;
  std::int64_t tick_ns = 9'900'990;  // 101 Hz

  std::size_t bytes_per_sample = 28;
  std::uint64_t append_throws_at = 0;  // 0: never
  std::uint64_t appended = 0;
  std::uint64_t full_at = 0;  // samples of one trace; 0: never

  transport_events events;
  int transports = 0;
  std::vector<profile_chunk> sent;
  std::optional<std::chrono::milliseconds> transport_closed;

  lines log;
  /// Runs once, inside the next finish() of a trace.
  std::function<void()> on_finish;
  /// Runs once, inside the next reading of the clock.
  std::function<void()> on_clock;

  void pass(std::chrono::nanoseconds d) { now_ns += d.count(); }
  /// One tick of the sampler, if it runs.
  void tick(std::size_t threads = 1, std::uint64_t missed = 0, std::uint64_t truncated = 0) {
    now_ns += tick_ns;
    if (!sink) return;
    std::vector<stack_sample> samples(threads);
    for (auto& s : samples) s.boottime_ns = now_ns;
    std::vector<std::int32_t> const silent(missed, 4100 + static_cast<std::int32_t>(missed));
    if (missed != 0) sink->on_missed(silent);
    sink->on_tick(samples, {threads + missed, threads, missed, truncated});
  }
  void run_for(std::chrono::nanoseconds d, std::size_t threads = 1) {
    auto const until = now_ns + d.count();
    while (now_ns + tick_ns <= until) tick(threads);
    now_ns = until;
  }
};

class fake_random final : public random_source {
 public:
  explicit fake_random(world& w) : w_(w) {}
  double uniform() override {
    ++w_.drawn;
    if (w_.draws.empty()) return 0.5;
    auto const d = w_.draws.front();
    w_.draws.pop_front();
    return d;
  }
  std::string new_id() override {
    if (std::exchange(w_.id_throws, false)) throw std::bad_alloc();
    return "id" + std::to_string(++w_.ids);
  }

 private:
  world& w_;
};

class fake_sampler final : public sampler {
 public:
  explicit fake_sampler(world& w) : w_(w) {}
  sampler_status start(tick_sink& sink) override {
    ++w_.sampler_starts;
    if (w_.sampler_throws) throw std::runtime_error("no thread");
    if (!w_.sampler_runs) return sampler_status::unavailable;
    REQUIRE(w_.sink == nullptr);
    w_.sink = &sink;
    return sampler_status::running;
  }
  void stop() override {
    ++w_.sampler_stops;
    w_.sink = nullptr;
  }

 private:
  world& w_;
};

/// Its trace is "start_ms end_ms samples".
class fake_builder final : public trace_builder {
 public:
  fake_builder(world& w, clock_reading const& start) : w_(w), start_(start) {}
  void append(stack_sample const&) override {
    if (++w_.appended == w_.append_throws_at) throw std::bad_alloc();
    ++samples_;
  }
  [[nodiscard]] std::size_t size() const override { return samples_ * w_.bytes_per_sample; }
  [[nodiscard]] std::uint64_t samples() const override { return samples_; }
  [[nodiscard]] bool full() const override { return w_.full_at != 0 && samples_ >= w_.full_at; }
  [[nodiscard]] std::string finish(clock_reading const& end) override {
    if (auto hook = std::exchange(w_.on_finish, {})) hook();
    auto const ms = [](std::int64_t ns) { return std::to_string(ns / 1'000'000); };
    return ms(start_.boottime_ns) + " " + ms(end.boottime_ns) + " " + std::to_string(samples_);
  }

 private:
  world& w_;
  clock_reading start_;
  std::uint64_t samples_ = 0;
};

class fake_factory final : public trace_builder_factory {
 public:
  explicit fake_factory(world& w) : w_(w) {}
  std::unique_ptr<trace_builder> begin(clock_reading const& start) override {
    return std::make_unique<fake_builder>(w_, start);
  }

 private:
  world& w_;
};

class fake_transport final : public transport {
 public:
  explicit fake_transport(world& w) : w_(w) {}
  void send(profile_chunk chunk) override { w_.sent.push_back(std::move(chunk)); }
  [[nodiscard]] std::chrono::milliseconds limited_for() const override { return {}; }
  [[nodiscard]] transport_counts counts() const override { return {}; }
  void close(std::chrono::milliseconds deadline) override { w_.transport_closed = deadline; }

 private:
  world& w_;
};

/// Runs the job inside wake(); with `asleep` only when it is stopped.
class inline_worker final : public chunk_worker {
 public:
  void start(std::function<void()> job) override { job_ = std::move(job); }
  void wake() override {
    if (!asleep && job_) job_();
  }
  void stop() override {
    if (job_) job_();
  }
  bool asleep = false;

 private:
  std::function<void()> job_;
};

class rig {
 public:
  explicit rig(profiler_options o, bool asleep = false) : options(std::move(o)) {
    options.log = [this](std::string const& line) { w.log.push_back(line); };
    make(asleep);
  }
  void make(bool asleep = false, bool forked = false) {
    it.reset();
    it = std::make_shared<client>(options, parts(asleep), forked);
  }
  client_parts parts(bool asleep = false) {
    client_parts p;
    p.random = std::make_unique<fake_random>(w);
    p.stacks = std::make_unique<fake_sampler>(w);
    p.traces = std::make_unique<fake_factory>(w);
    p.make_transport = [this](transport_events e) -> std::unique_ptr<transport> {
      if (w.transport_throws) throw std::runtime_error("no socket");
      ++w.transports;
      w.events = std::move(e);
      return std::make_unique<fake_transport>(w);
    };
    auto worker = std::make_unique<inline_worker>();
    worker->asleep = asleep;
    p.worker = std::move(worker);
    p.clock = [this] {
      if (auto hook = std::exchange(w.on_clock, {})) hook();
      return clock_reading{w.now_ns, w.now_ns, w.now_ns};
    };
    return p;
  }
  client* operator->() const { return it.get(); }

  world w;
  profiler_options options;
  std::shared_ptr<client> it;
};

inline profiler_options sampled() {
  profiler_options o;
  o.dsn = "http://key@localhost/1";
  o.profile_session_sample_rate = 1;
  return o;
}
inline profiler_options traced() {
  auto o = sampled();
  o.lifecycle = profile_lifecycle::trace;
  o.traces_sample_rate = 1;
  return o;
}

}  // namespace profile_relay::sdk::test
