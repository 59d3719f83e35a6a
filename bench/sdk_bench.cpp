// A fixed amount of work on a number of threads, with a profiler or without. bench/sdk_bench.py drives it.
#include <dlfcn.h>
#include <zlib.h>
#include <zstd.h>

#include <CLI/CLI.hpp>
#include <array>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <string>
#include <thread>
#include <vector>

#include "sdk/core/clocks.hpp"
#include "sdk/core/trace_builder.hpp"
#include "sdk/sampler/signal_sampler.hpp"
#include "sdk/trace/symbol_table.hpp"

namespace sdk = profile_relay::sdk;

namespace {

// 40 frames deep; five levels choose among three functions, so there are some hundred call paths.
template <unsigned Level, unsigned Kind>
__attribute__((noinline)) std::uint64_t descend(std::uint64_t x) {
  for (unsigned i = 0; i < 20 + 10 * Kind; ++i) x = x * 6364136223846793005u + 1442695040888963407u;
  if constexpr (Level > 0) {
    auto const choice = Level % 8 == 0 ? (x >> 33) % 3 : 0;
    if (choice == 0)
      x += descend<Level - 1, 0>(x);
    else if (choice == 1)
      x += descend<Level - 1, 1>(x);
    else
      x += descend<Level - 1, 2>(x);
  } else {
    for (unsigned i = 0; i < 2'000; ++i) x = x * 6364136223846793005u + 1442695040888963407u;
  }
  asm volatile("" : "+r"(x));
  return x;
}

void do_work(std::size_t threads, std::uint64_t rounds) {
  std::vector<std::thread> all;
  for (std::size_t t = 0; t < threads; ++t)
    all.emplace_back([t, mine = rounds / threads] {
      std::uint64_t x = t;
      for (std::uint64_t i = 0; i < mine; ++i) x = descend<40, 0>(x);
      asm volatile("" : "+r"(x));
    });
  for (auto& t : all) t.join();
}

double process_cpu() {
  timespec now{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

/// CPU and wall time of one profiled workload, from before its start to after its stop.
class stopwatch {
 public:
  void print() const {
    std::printf("\"cpu\": %.6f, \"wall\": %.6f", process_cpu() - cpu_,
                std::chrono::duration<double>(std::chrono::steady_clock::now() - wall_).count());
  }

 private:
  std::chrono::steady_clock::time_point wall_ = std::chrono::steady_clock::now();
  double cpu_ = process_cpu();
};

// What the client does with samples, without sending.
class writing_sink final : public sdk::tick_sink {
 public:
  void on_tick(std::span<const sdk::stack_sample> samples, sdk::tick_counts const&) noexcept override {
    for (auto const& s : samples) {
      trace->append(s);
      frames += s.depth;
    }
  }
  std::unique_ptr<sdk::trace_builder_factory> factory = sdk::make_trace_builder_factory();
  std::unique_ptr<sdk::trace_builder> trace = factory->begin(sdk::read_clocks());
  std::uint64_t frames = 0;
};

std::size_t gzip_size(std::string const& bytes) {
  std::string out(::compressBound(bytes.size()) + 32, '\0');
  z_stream z{};
  if (::deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) return 0;
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  z.avail_in = static_cast<uInt>(bytes.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  ::deflate(&z, Z_FINISH);
  auto const size = z.total_out;
  ::deflateEnd(&z);
  return size;
}

std::size_t zstd_size(std::string const& bytes) {
  std::string out(::ZSTD_compressBound(bytes.size()), '\0');
  return ::ZSTD_compress(out.data(), out.size(), bytes.data(), bytes.size(), ZSTD_CLEVEL_DEFAULT);
}

int run_ours(sdk::stack_walk walk, std::size_t threads, std::uint64_t rounds) {
  sdk::signal_sampler sampler(walk);
  writing_sink sink;  // reads all symbols, which the client does once, at init
  stopwatch const watch;
  if (sampler.start(sink) != sdk::sampler_status::running) return 1;
  do_work(threads, rounds);
  sampler.stop();
  watch.print();
  auto const s = sampler.statistics();
  auto const trace = sink.trace->finish(sdk::read_clocks());
  std::printf(
      ", \"ticks\": %llu, \"samples\": %llu, \"truncated\": %llu, \"skipped\": %llu, \"frames\": %llu, ",
      static_cast<unsigned long long>(s.counts.ticks), static_cast<unsigned long long>(s.counts.samples),
      static_cast<unsigned long long>(s.counts.truncated), static_cast<unsigned long long>(s.skipped),
      static_cast<unsigned long long>(sink.frames));
  std::printf(
      "\"sampler_cpu\": %.6f, \"handler_cpu\": %.6f, \"handler_p50_ns\": %llu, \"handler_p99_ns\": %llu, ",
      static_cast<double>(s.thread_cpu_ns) / 1e9, static_cast<double>(s.handler_ns) / 1e9,
      static_cast<unsigned long long>(s.handler_p50_ns), static_cast<unsigned long long>(s.handler_p99_ns));
  std::printf("\"trace\": %zu, \"gzip\": %zu, \"zstd\": %zu", trace.size(), gzip_size(trace),
              zstd_size(trace));
  return 0;
}

// Loaded for this one, so that the other subjects run without its constructors.
int run_gperftools(std::size_t threads, std::uint64_t rounds) {
  auto* const library = ::dlopen("libprofiler.so.0", RTLD_NOW);
  if (library == nullptr) return 1;
  auto const start = reinterpret_cast<int (*)(char const*)>(::dlsym(library, "ProfilerStart"));
  auto const stop = reinterpret_cast<void (*)()>(::dlsym(library, "ProfilerStop"));
  stopwatch const watch;
  if (start == nullptr || stop == nullptr || start("/dev/null") == 0) return 1;
  do_work(threads, rounds);
  stop();
  watch.print();
  return 0;
}

int time_symbols(std::string const& file, std::string const& hex_build_id) {
  std::string id;
  for (std::size_t i = 0; i + 1 < hex_build_id.size(); i += 2)
    id += static_cast<char>(std::stoi(hex_build_id.substr(i, 2), nullptr, 16));
  auto const begin = std::chrono::steady_clock::now();
  auto const table = sdk::read_symbols(file, id, 2'000'000);
  if (table == nullptr) return 1;
  std::printf("{\"functions\": %zu, \"ms\": %.3f}\n", table->functions(),
              std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"A fixed workload with one profiler, or none."};
  std::string subject = "none", symbols, build_id;
  std::size_t threads = 8;
  std::uint64_t rounds = 400'000;
  app.add_option("--subject", subject)->check(CLI::IsMember({"none", "tables", "pointers", "gperftools"}));
  app.add_option("--threads", threads)->check(CLI::Range(1, 512));
  app.add_option("--rounds", rounds, "of the work, over all threads");
  app.add_option("--symbols", symbols, "time the reading of this file's symbols instead");
  app.add_option("--build-id", build_id, "its build id, in hex");
  CLI11_PARSE(app, argc, argv);
  if (!symbols.empty()) return time_symbols(symbols, build_id);

  std::printf("{");
  int status = 0;
  if (subject == "tables" || subject == "pointers") {
    auto const walk = subject == "tables" ? sdk::stack_walk::unwind_tables : sdk::stack_walk::frame_pointers;
    status = run_ours(walk, threads, rounds);
  } else if (subject == "gperftools") {
    status = run_gperftools(threads, rounds);
  } else {
    stopwatch const watch;
    do_work(threads, rounds);
    watch.print();
  }
  std::printf("}\n");
  return status;
}
