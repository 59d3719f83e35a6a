#include <algorithm>
#include <array>
#include <cmath>
#include <unordered_set>

#include "tools/trace_device.hpp"
#include "tools/trace_maker.hpp"
#include "tools/trace_random.hpp"
#include "tools/trace_session.hpp"

namespace profile_relay::trace_maker {
namespace {

struct shape {
  bench_size size;
  std::string_view name;
  std::uint32_t samples;
  std::uint32_t packets_per_new_stack;
  std::int64_t span_ns;
};

constexpr std::array<shape, 4> shapes{{
    {bench_size::small, "small", 1'000, 10, 10'000'000'000},
    {bench_size::middle, "middle", 10'000, 10, 25'000'000'000},
    {bench_size::large, "large", 90'000, 10, 58'000'000'000},
    {bench_size::sparse, "sparse", 60'000, 123, 58'000'000'000},
}};

constexpr std::uint32_t thread_count = 12;
constexpr std::uint32_t cpu_count = 8;
constexpr std::uint32_t pid = 14'210;
constexpr std::uint32_t location_count = 2'880;
// Chosen so that the numbers of distinct frames are those of the benchmark's description.
constexpr double popularity_skew = 2.2;

constexpr std::array<std::string_view, 24> nouns{
    "cart",    "order",   "price",  "layout",  "render", "image",   "cache",  "stream",
    "socket",  "buffer",  "matrix", "shader",  "widget", "catalog", "search", "session",
    "account", "payment", "view",   "message", "record", "index",   "cursor", "bitmap"};
constexpr std::array<std::string_view, 12> verbs{"update",   "measure", "dispatch", "resolve",
                                                 "compute",  "decode",  "flush",    "collect",
                                                 "traverse", "prepare", "publish",  "invoke"};

std::string capitalised(std::string_view word) {
  std::string out(word);
  out[0] = static_cast<char>(out[0] - 'a' + 'A');
  return out;
}

std::string java_name(random_stream& random, std::uint32_t number) {
  auto const noun = [&] { return nouns[random.below(nouns.size())]; };
  return "shop." + std::string(noun()) + '.' + std::string(noun()) + '.' + capitalised(noun()) +
         capitalised(noun()) + '.' + std::string(verbs[random.below(verbs.size())]) + std::to_string(number);
}

std::string native_name(random_stream& random, std::uint32_t number) {
  auto const noun = [&] { return nouns[random.below(nouns.size())]; };
  return "shop::" + std::string(noun()) + "::" + capitalised(noun()) + capitalised(noun()) +
         "::" + std::string(verbs[random.below(verbs.size())]) + std::to_string(number) + "(" +
         std::string(noun()) + "_t*, int)";
}

program make_program(random_stream& random) {
  program code{device_modules(), {}};
  for (std::uint32_t i = 0; i < location_count; ++i) {
    auto const module_index = static_cast<std::uint32_t>(random.below(code.modules.size()));
    bool const is_java = module_index >= native_modules;
    code.locations.push_back({is_java ? java_name(random, i) : native_name(random, i), module_index,
                              0x1000 + random.below(0x1f'0000) * 4});
  }
  return code;
}

/// The stacks of one thread: a few frames that never change below others that do.
class stack_source {
 public:
  explicit stack_source(random_stream& random) : random_(random) {
    for (int i = 0; i < 4; ++i) base_.push_back(pick());
  }
  std::vector<std::uint32_t> make() {
    auto stack = base_;
    auto const depth = 20 + random_.below(41);  // mean 40
    while (stack.size() < depth) stack.push_back(pick());
    return stack;
  }

 private:
  std::uint32_t pick() {
    return static_cast<std::uint32_t>(location_count * std::pow(random_.unit(), popularity_skew));
  }
  random_stream& random_;
  std::vector<std::uint32_t> base_;
};

std::vector<sample_event> make_schedule(shape const& s, random_stream& random) {
  std::vector<sample_event> events;
  events.reserve(s.samples);
  auto const step = s.span_ns / s.samples;
  for (std::uint32_t i = 0; i < s.samples; ++i)
    events.push_back({i * step + static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(step))),
                      static_cast<std::uint32_t>(random.below(cpu_count)),
                      pid + static_cast<std::uint32_t>(random.below(thread_count)), false});
  sort_as_drained(events);
  return events;
}

}  // namespace

std::optional<bench_size> parse_bench_size(std::string_view name) {
  for (auto const& s : shapes)
    if (s.name == name) return s.size;
  return std::nullopt;
}

std::string_view to_string(bench_size size) { return shapes[static_cast<std::size_t>(size)].name; }

made_trace make_bench(bench_size size, std::uint64_t seed, std::int64_t now_seconds,
                      std::optional<std::uint32_t> samples) {
  auto s = shapes[static_cast<std::size_t>(size)];
  s.samples = samples.value_or(s.samples);
  random_stream random(seed);
  auto const code = make_program(random);
  auto const events = make_schedule(s, random);

  auto const frequency = static_cast<std::uint32_t>(s.samples * 1'000'000'000ull / cpu_count /
                                                    static_cast<std::uint64_t>(s.span_ns));
  session out(code, pid, now_seconds, s.span_ns, std::max(frequency, 1u));
  for (std::int64_t at = 0; at <= s.span_ns; at += 10'000'000'000) out.clock_snapshot(at);
  std::vector<std::pair<std::uint32_t, std::string>> names;
  for (std::uint32_t t = 1; t < thread_count; ++t) names.emplace_back(pid + t, "worker-" + std::to_string(t));
  out.process_tree("io.example.shop", names);
  out.start_profiler();

  struct thread_state {
    stack_source source;
    std::vector<std::uint64_t> keys;
  };
  std::vector<thread_state> threads;
  for (std::uint32_t t = 0; t < thread_count; ++t) threads.push_back({stack_source(random), {}});
  std::vector<std::vector<std::uint32_t>> stacks;
  for (std::uint32_t i = 0; i < events.size(); ++i) {
    auto& thread = threads[events[i].tid - pid];
    bool const is_new = thread.keys.empty() || i % s.packets_per_new_stack == s.packets_per_new_stack - 1;
    if (is_new) {
      thread.keys.push_back(stacks.size());
      stacks.push_back(thread.source.make());
    }
    // A thread mostly stays where it was seen last.
    auto const key =
        is_new || random.below(4) != 0 ? thread.keys.back() : thread.keys[random.below(thread.keys.size())];
    out.sample(events[i], key, stacks[key]);
  }

  made_trace made;
  made.samples = events.size();
  made.threads = thread_count;
  made.frames = out.frames();
  made.stacks = out.stacks();
  made.span_ns = s.span_ns;
  made.bytes = out.take_bytes();
  return made;
}

}  // namespace profile_relay::trace_maker
