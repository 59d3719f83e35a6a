#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <map>
#include <numeric>

#include "tools/trace_app.hpp"
#include "tools/trace_device.hpp"
#include "tools/trace_maker.hpp"
#include "tools/trace_random.hpp"
#include "tools/trace_session.hpp"

namespace profile_relay::trace_maker {
namespace {

constexpr std::int64_t span_ns = 25'000'000'000;
constexpr std::array<std::int64_t, phase_count> phase_ends{4'000'000'000, 16'000'000'000, span_ns};
constexpr std::uint32_t frequency_hz = 101;
constexpr std::uint32_t cpu_count = 8;
constexpr std::uint32_t call_sites = 3;  // places in a function at which samples find it

std::vector<std::string_view> split(std::string_view text, std::string_view separator) {
  std::vector<std::string_view> parts;
  for (std::size_t from = 0; from <= text.size();) {
    auto const to = std::min(text.find(separator, from), text.size());
    parts.push_back(text.substr(from, to - from));
    from = to + separator.size();
  }
  return parts;
}

std::uint64_t fnv1a(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return hash;
}

/// Turns the activities' text into code locations and stacks.
class code_builder {
 public:
  code_builder() { code_.modules = device_modules(); }

  /// The location of "module:function", at its nth call site.
  std::uint32_t locate(std::string_view frame, std::uint32_t site) {
    auto const [it, is_new] =
        known_.try_emplace({frame, site}, static_cast<std::uint32_t>(code_.locations.size()));
    if (is_new) {
      auto const colon = frame.find(':');
      auto const path = module_path(frame.substr(0, colon));
      if (colon == std::string_view::npos || path.empty()) {
        std::cerr << "trace maker: no module in \"" << frame << "\"\n";
        std::exit(1);
      }
      auto const rel_pc = 0x1000 + fnv1a(frame) % 0x7'0000 * 4 + site * 0x18;
      code_.locations.push_back(
          {std::string(frame.substr(colon + 1)), module_named(code_.modules, path), rel_pc});
    }
    return it->second;
  }
  std::vector<std::uint32_t> stack(std::string_view path, std::string_view leaf, std::uint32_t site) {
    std::vector<std::uint32_t> out;
    for (auto frame : split(path, " > ")) out.push_back(locate(frame, 0));
    for (auto frame : split(leaf, " > ")) out.push_back(locate(frame, 0));
    out.back() = locate(split(leaf, " > ").back(), site);
    return out;
  }
  program const& code() const { return code_; }

 private:
  program code_;
  std::map<std::pair<std::string_view, std::uint32_t>, std::uint32_t> known_;
};

/// What every thread can be found doing, with the weights of each phase.
class behaviour {
 public:
  explicit behaviour(code_builder& builder) {
    for (auto const& a : app_activities())
      for (auto leaf : split(a.leaves, " | "))
        for (std::uint32_t site = 0; site < call_sites; ++site) {
          by_thread_[a.tid].push_back({a.weight, stacks_.size()});
          stacks_.push_back(builder.stack(a.path, leaf, site));
        }
  }
  /// Key of the stack in which the thread is found.
  std::size_t pick(std::uint32_t tid, std::size_t phase, random_stream& random) const {
    auto const& choices = by_thread_.at(tid);
    auto const total = std::accumulate(choices.begin(), choices.end(), 0,
                                       [&](int sum, choice const& c) { return sum + c.weight[phase]; });
    auto left = static_cast<int>(random.below(static_cast<std::uint64_t>(total)));
    for (auto const& c : choices)
      if ((left -= c.weight[phase]) < 0) return c.stack;
    return choices.back().stack;
  }
  std::vector<std::uint32_t> const& stack(std::size_t key) const { return stacks_[key]; }

 private:
  struct choice {
    std::array<int, phase_count> weight;
    std::size_t stack;
  };
  std::map<std::uint32_t, std::vector<choice>> by_thread_;
  std::vector<std::vector<std::uint32_t>> stacks_;
};

std::size_t phase_at(std::int64_t ns) {
  std::size_t phase = 0;
  while (phase + 1 < phase_count && ns >= phase_ends[phase]) ++phase;
  return phase;
}

/// At every tick each thread runs or does not, and no two threads on one CPU.
std::vector<sample_event> make_schedule(random_stream& random) {
  std::vector<sample_event> events;
  constexpr std::int64_t period = 1'000'000'000 / frequency_hz;
  for (std::int64_t tick = period; tick + period < span_ns; tick += period) {
    std::array<std::uint32_t, cpu_count> cpus{};
    std::iota(cpus.begin(), cpus.end(), 0u);
    for (auto i = cpu_count - 1; i > 0; --i) std::swap(cpus[i], cpus[random.below(i + 1)]);
    std::size_t used = 0;
    for (auto const& thread : app_threads()) {
      if (random.unit() >= thread.busy[phase_at(tick)] || used == cpu_count) continue;
      auto const cpu = cpus[used++];
      auto const jitter = static_cast<std::int64_t>(random.below(40'000));
      events.push_back({tick + cpu * 1'130'000 + jitter, cpu, thread.tid, random.below(400) == 0});
    }
  }
  sort_as_drained(events);
  return events;
}

}  // namespace

made_trace make_android(std::uint64_t seed, std::int64_t now_seconds) {
  random_stream random(seed);
  code_builder builder;
  behaviour const app(builder);
  auto const events = make_schedule(random);

  session out(builder.code(), app_threads().front().tid, now_seconds, span_ns, frequency_hz);
  std::int64_t next_snapshot = 10'000'000'000;
  out.clock_snapshot(0);
  std::vector<std::pair<std::uint32_t, std::string>> names;
  for (auto const& thread : app_threads().subspan(1))
    names.emplace_back(thread.tid, std::string(thread.name));
  // The app itself names one thread through the SDK's track; the kernel knows only 15 characters of a name.
  auto const tracked = names.back();
  names.pop_back();
  for (auto& [tid, name] : names) name.resize(std::min<std::size_t>(name.size(), 15));
  out.process_tree("io.example.shop", names);
  out.thread_track(tracked.first, tracked.second);
  out.start_profiler();
  for (auto const& event : events) {
    for (; event.at_ns >= next_snapshot; next_snapshot += 10'000'000'000) out.clock_snapshot(next_snapshot);
    auto const key = app.pick(event.tid, phase_at(event.at_ns), random);
    out.sample(event, key, app.stack(key));
  }

  made_trace made;
  made.samples = events.size();
  made.threads = app_threads().size();
  made.frames = out.frames();
  made.stacks = out.stacks();
  made.span_ns = events.empty() ? 0 : span_ns;
  made.bytes = out.take_bytes();
  return made;
}

}  // namespace profile_relay::trace_maker
