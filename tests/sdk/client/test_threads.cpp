// Everything at once: application threads, a sampler's thread, the real worker, answers of a transport. The thread
// sanitizer's build of this test is what watches the locks.
#include <catch2/catch.hpp>
#include <set>
#include <thread>

#include "sdk/client/client.hpp"
#include "sdk/client/system_random.hpp"
#include "sdk/core/clocks.hpp"

using namespace profile_relay;
using namespace profile_relay::sdk;
using namespace std::chrono_literals;

namespace {

/// Ticks as fast as it can, on a thread of its own; stop() waits for the tick under way, as the real one does.
class busy_sampler final : public sampler {
 public:
  sampler_status start(tick_sink& sink) override {
    thread_ = std::jthread([&sink](std::stop_token const& stop) {
      std::vector<stack_sample> const samples(3);
      while (!stop.stop_requested()) sink.on_tick(samples, {4, 3, 1, 0});
    });
    return sampler_status::running;
  }
  void stop() override { thread_ = {}; }

 private:
  std::jthread thread_;
};

struct totals {
  std::atomic<std::uint64_t> appended{0}, sent{0}, duplicates{0};
  std::mutex lock;
  std::set<std::string> chunk_ids;
  std::set<std::string> profiler_ids;
  transport_events events;
};

class counting_builder final : public trace_builder {
 public:
  explicit counting_builder(totals& t) : t_(t) {}
  void append(stack_sample const&) override { ++t_.appended, ++samples_; }
  [[nodiscard]] std::size_t size() const override { return samples_ * 28; }
  [[nodiscard]] std::uint64_t samples() const override { return samples_; }
  [[nodiscard]] bool full() const override { return samples_ > 100; }
  [[nodiscard]] std::string finish(clock_reading const&) override { return std::to_string(samples_); }

 private:
  totals& t_;
  std::uint64_t samples_ = 0;
};

class counting_factory final : public trace_builder_factory {
 public:
  explicit counting_factory(totals& t) : t_(t) {}
  std::unique_ptr<trace_builder> begin(clock_reading const&) override {
    return std::make_unique<counting_builder>(t_);
  }

 private:
  totals& t_;
};

class counting_transport final : public transport {
 public:
  explicit counting_transport(totals& t) : t_(t) {}
  void send(profile_chunk chunk) override {
    t_.sent += std::stoull(chunk.trace);
    std::lock_guard const lock(t_.lock);
    t_.profiler_ids.insert(chunk.profiler_id);
    if (!t_.chunk_ids.insert(chunk.chunk_id).second) ++t_.duplicates;
  }
  [[nodiscard]] std::chrono::milliseconds limited_for() const override { return {}; }
  [[nodiscard]] transport_counts counts() const override { return {}; }
  void close(std::chrono::milliseconds) override {}

 private:
  totals& t_;
};

client_parts parts_over(totals& t) {
  client_parts p;
  p.random = std::make_unique<system_random>();
  p.stacks = std::make_unique<busy_sampler>();
  p.traces = std::make_unique<counting_factory>(t);
  p.make_transport = [&t](transport_events e) {
    t.events = std::move(e);
    return std::make_unique<counting_transport>(t);
  };
  p.worker = std::make_unique<thread_worker>();
  p.clock = read_clocks;
  return p;
}

}  // namespace

TEST_CASE("threads that start, stop, begin spans and limit at once lose no sample and share no chunk") {
  for (auto const lifecycle : {profile_lifecycle::manual, profile_lifecycle::trace}) {
    totals t;
    profiler_options o;
    o.profile_session_sample_rate = 1;
    o.traces_sampler = [](root_span_info const& info) { return info.name == "first" ? 1 : 0.5; };
    o.lifecycle = lifecycle;
    o.log = [](std::string const&) {};
    std::uint64_t dropped = 0;
    {
      client c(o, parts_over(t));
      c.start_profiler();
      auto const first = c.begin_root_span({.name = "first"});
      REQUIRE(c.is_running());
      // Where the machine is busy, no later profile may live long enough for a tick.
      while (t.appended == 0) std::this_thread::yield();
      std::atomic<int> starts{0};
      {
        std::vector<std::jthread> threads;
        for (int n = 0; n < 4; ++n)
          threads.emplace_back([&, n] {
            for (int i = 0; i < 200; ++i) {
              if (n < 2) {
                starts += c.start_profiler() == start_result::started ? 1 : 0;
                if (i % 3 == 0) c.stop_profiler();
              } else {
                auto const span = c.begin_root_span({});
                static_cast<void>(c.profiler_id());
                if (i % 16 == 0) c.begin_user_session();
                std::this_thread::yield();
                if (span) c.end_root_span(span);
              }
              if (n == 0 && i % 50 == 49) t.events.rate_limited(1ms);
            }
          });
      }
      c.end_root_span(first);
      c.close(1s);
      CHECK_FALSE(c.is_running());
      dropped = c.dropped_samples();
      if (lifecycle == profile_lifecycle::manual) CHECK(starts > 0);
    }
    CHECK(t.sent + dropped == t.appended);
    CHECK(t.sent > 0);
    CHECK(t.duplicates == 0);
    CHECK_FALSE(t.profiler_ids.contains(""));
  }
}
