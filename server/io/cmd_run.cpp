#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "server/io/cmd_files.hpp"
#include "server/io/config_watcher.hpp"
#include "server/io/delivery_driver.hpp"
#include "server/io/guarded.hpp"
#include "server/io/http_server.hpp"
#include "server/io/keep_freed_memory.hpp"
#include "server/io/memory_probe.hpp"
#include "server/io/project_watcher.hpp"
#include "server/io/self_profiler.hpp"

namespace profile_relay::server {

namespace {

using clock = std::chrono::steady_clock;

/// `run --dry-run`: every record counts as delivered and goes nowhere.
class no_delivery final : public delivery_port {
 public:
  void submit(profile::kafka_record, std::function<void(record_end)> done) override {
    done(record_end::delivered);
  }
  delivery_status status() const override { return {}; }
};

/// Without a setting: a quarter of what the cgroup allows, and enough for one chunk of any size.
std::uint64_t budget_bytes(config::settings const& s, std::optional<memory_reading> const& memory) {
  if (s.limits.max_inflight_bytes) return *s.limits.max_inflight_bytes;
  constexpr std::uint64_t least = 256u << 20;
  return std::max(least, memory ? memory->limit / 4 : 0);
}

/// SIGTERM and SIGINT, taken by the main thread only: threads started later inherit the mask.
class stop_signals {
 public:
  stop_signals() {
    sigemptyset(&set_);
    sigaddset(&set_, SIGTERM);
    sigaddset(&set_, SIGINT);
    pthread_sigmask(SIG_BLOCK, &set_, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
  }
  /// Calls `meanwhile` ten times a second.
  template <class F>
  int wait(F meanwhile) {
    constexpr timespec pause{0, 100'000'000};
    for (;;) {
      int const which = sigtimedwait(&set_, nullptr, &pause);
      if (which > 0) return which;
      meanwhile();
    }
  }
  /// From now on a signal ends the process at once. What was answered 200 is acknowledged or synced already.
  void next_one_is_hard() {
    for (int s : {SIGTERM, SIGINT}) std::signal(s, [](int) { _exit(1); });
    pthread_sigmask(SIG_UNBLOCK, &set_, nullptr);
  }

 private:
  sigset_t set_{};
};

delivery_log log_of_delivery() {
  return {[](std::string const& line) { log(log_level::info, line); },
          [](std::string const& line) { log(log_level::warn, line); },
          [](std::string const& line) { log(log_level::error, line); }};
}

std::uint64_t unix_seconds() {
  using namespace std::chrono;
  return static_cast<std::uint64_t>(duration_cast<seconds>(system_clock::now().time_since_epoch()).count());
}

memory_mark mark_of(config::settings::health_section const& h) {
  return {h.max_memory_percent, h.max_memory_bytes};
}

std::string broker_text(config::settings const& s) {
  for (auto const& [name, value] : s.processing.kafka_config)
    if (name == "bootstrap.servers" || name == "metadata.broker.list") return value;
  return "not configured (spool-only)";
}

/// The parts of a running server, in the order they are made. They end in the order `stop` gives.
struct running {
  config::settings const& settings;
  bool dry_run;
  pipeline_settings pipeline;
  memory_probe memory;
  guarded<memory_mark> mark;
  byte_budget budget;
  local_rate_counters rate_counts;
  rate_limiter limiter;
  metrics counted;
  std::unique_ptr<delivery_port> delivery;
  delivery_driver* driver = nullptr;
  std::optional<project_watcher> projects;
  std::optional<http_services> services;
  std::unique_ptr<http_server> http;
  std::optional<config_watcher> configuration;

  running(config::settings const& s, bool dry)
      : settings(s),
        dry_run(dry),
        memory(s.health.refresh_interval, s.health.probe_timeout),
        mark(mark_of(s.health)),
        budget(budget_bytes(s, memory.latest())),
        limiter(rate_counts, s.processing.max_rate_limit) {}

  std::optional<start_error> start_delivery() {
    pipeline = make_pipeline_settings(settings, pipeline_settings{}.message_max_bytes);
    if (dry_run) {
      delivery = std::make_unique<no_delivery>();
      return std::nullopt;
    }
    delivery_options options;
    options.max_inflight_bytes = budget.capacity();
    options.log = log_of_delivery();
    options.make_outcome = [s = pipeline](profile::kafka_record const& dead, reason why) {
      return outcome_of_dead(dead, why, s, random_bytes16());
    };
    auto started = delivery_driver::start(settings, std::move(options));
    if (!started) return started.error();
    driver = started->get();
    delivery = std::move(*started);
    pipeline = make_pipeline_settings(settings, driver->max_message_bytes());
    return std::nullopt;
  }

  readiness_facts facts() {
    return {services->draining,           memory.latest(),         mark.get(), delivery->status(),
            projects->snapshot()->size(), projects->broken_files()};
  }

  std::string render() {
    auto const f = facts();
    metrics::gauges g;
    g.delivery = f.delivery;
    g.budget_used = budget.used();
    g.budget_max_used = budget.max_used();
    g.budget_capacity = budget.capacity();
    g.rates = rate_counts.stats();
    g.connections = http ? http->connections() : 0;
    g.projects = f.projects;
    g.broken_projects = f.broken_projects;
    if (f.memory) {
      g.memory_used = f.memory->used;
      g.memory_limit = f.memory->limit;
    }
    g.ready = decide_readiness(f).ready;
    return counted.render(g);
  }

  std::optional<start_error> start_http() {
    projects.emplace(settings.config_dir / "projects", settings.cache.file_interval);
    auto over = [this] {
      auto const m = memory.latest();
      return m && over_mark(*m, mark.get());
    };
    services.emplace(
        *delivery, counted, budget, limiter, pipeline, [this] { return projects->snapshot(); },
        [this] { return decide_readiness(facts()); }, [this] { return render(); }, over, random_bytes16,
        unix_seconds);
    auto started = http_server::start(make_http_options(settings), *services);
    if (!started) return started.error();
    http = std::move(*started);
    return std::nullopt;
  }

  /// From now on changes of the `health` section take effect.
  void watch(config_arguments const& arguments) {
    configuration.emplace(arguments, settings, settings.cache.file_interval,
                          [this](config::settings::health_section const& h) {
                            memory.configure(h.refresh_interval, h.probe_timeout);
                            mark.set(mark_of(h));
                            if (driver != nullptr) driver->set_max_ack_age(h.kafka_max_ack_age);
                          });
  }

  void tell_ready() {
    if (pipeline.message_max_bytes < pipeline.max_profile_size) {
      log(log_level::info,
          "the message limit is the smaller one: larger chunks go out without their raw trace",
          {{"message.max.bytes", std::to_string(pipeline.message_max_bytes)},
           {"limits.max_profile_size", std::to_string(pipeline.max_profile_size)}});
    }
    log(log_level::info,
        "quotas are counted in this process: each instance lets through a quota's whole limit, and a restart "
        "begins anew");
    std::vector<log_field> fields{{"http", http->address()}};
    if (auto const internal = http->internal_address()) fields.push_back({"internal", *internal});
    fields.push_back({"kafka", dry_run ? "dry run, nothing is delivered" : broker_text(settings)});
    fields.push_back({"spool", dry_run ? "none" : settings.spool.path.string()});
    fields.push_back({"projects", std::to_string(projects->snapshot()->size())});
    fields.push_back({"version", PROFILE_RELAY_VERSION});
    log(log_level::info, "ready", fields);
  }

  /// Unready, no new connections, requests in flight finish, delivery flushes and spools the rest (contract 8).
  /// `begin`: when it was asked for, from which limits.shutdown_timeout counts.
  void stop(clock::time_point begin) {
    auto const deadline = begin + settings.limits.shutdown_timeout;
    services->draining = true;
    auto const open = http->connections();
    http->stop_accepting();
    // Requests that wait for a hanging broker end only with delivery's own shutdown, so it gets half of the time.
    http->wait_until_idle(begin + settings.limits.shutdown_timeout / 2);
    auto const waiting = http->connections();
    auto const counts = driver != nullptr ? driver->shutdown(deadline) : delivery_counts{};
    // Their replies are written now; one second is plenty for that, and bounds what a client that does not read can do.
    bool const idle = http->wait_until_idle(clock::now() + std::chrono::seconds(1));
    auto const cut = idle ? 0 : http->connections();
    http->stop();
    auto const took = std::chrono::duration_cast<std::chrono::milliseconds>(clock::now() - begin);
    log(log_level::info, "stopped",
        {{"connections", std::to_string(open)},
         {"finished_before_flush", std::to_string(open - std::min(open, waiting))},
         {"connections_cut", std::to_string(cut)},
         {"records_delivered", std::to_string(counts.delivered)},
         {"records_spooled", std::to_string(counts.spooled)},
         {"records_failed", std::to_string(counts.failed)},
         {"took_ms", std::to_string(took.count())}});
  }
};

}  // namespace

int cmd_run(run_arguments const& a) {
  auto const loaded = load_configuration(a.config);
  if (!loaded) return 1;
  keep_freed_memory();
  auto const& settings = loaded->values;
  if (!settings.processing.enabled && !a.dry_run) {
    return fail(
        "processing.enabled is false: chunks would be accepted and lost; set it to true, or start with "
        "--dry-run");
  }
  setup_logging(settings.logging);
  for (auto const& line : loaded->warnings) log(log_level::warn, line);

  stop_signals signals;
  auto const made = self_profiler::make(settings.profiling.self_dsn);
  if (!made) return fail(made.error().what);
  auto const& own_profile = *made;
  running server(settings, a.dry_run);
  if (auto const e = server.start_delivery()) return fail(e->what);
  if (auto const e = server.start_http()) return fail(e->what);
  server.watch(a.config);
  server.tell_ready();
  if (own_profile) own_profile->start();

  auto const idle = resident_bytes();
  auto const keep_within_bounds = [&server, idle] {
    auto const now = resident_bytes();
    if (keeps_too_much(now - std::min(now, idle), server.budget.used(), server.budget.capacity()))
      malloc_trim(0);
  };
  log(log_level::info,
      signals.wait(keep_within_bounds) == SIGTERM ? "SIGTERM: shutting down" : "SIGINT: shutting down");
  signals.next_one_is_hard();
  auto const asked = clock::now();
  if (own_profile)
    own_profile->stop(
        std::min<std::chrono::milliseconds>(settings.limits.shutdown_timeout / 2, std::chrono::seconds(2)));
  server.stop(asked);
  return 0;
}

}  // namespace profile_relay::server
