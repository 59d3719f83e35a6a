#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <limits>
#include <string>
#include <vector>

#include "bench/heap_count.hpp"
#include "bench/subjects.hpp"
#include "envelope/padded_view.hpp"
#include "server/io/keep_freed_memory.hpp"
#include "tools/trace_maker.hpp"

namespace bench = profile_relay::bench;
namespace maker = profile_relay::trace_maker;

namespace {

struct input {
  std::string name;
  std::string trace, metadata;  // with room for the read-ahead behind the sizes below
  std::size_t trace_size = 0, metadata_size = 0;
  maker::made_trace made;  // its bytes are `trace`

  std::string_view trace_text() const { return {trace.data(), trace_size}; }
  std::span<const std::byte> trace_bytes() const { return std::as_bytes(std::span(trace_text())); }
};

void pad(input& in) {
  in.trace_size = in.trace.size();
  in.metadata_size = in.metadata.size();
  in.trace.append(profile_relay::envelope::read_ahead, '\0');
  in.metadata.append(profile_relay::envelope::read_ahead, '\0');
}

input make_input(maker::bench_size size) {
  input in;
  in.name = maker::to_string(size);
  in.made = maker::make_bench(size, 1, maker::default_now);
  in.trace = std::move(in.made.bytes);
  in.metadata = maker::make_metadata(1);
  pad(in);
  return in;
}

std::string read_file(std::string const& name) {
  std::ifstream file(name, std::ios::binary);
  if (!file) {
    std::cerr << "decode-bench: cannot read " << name << '\n';
    std::exit(1);
  }
  return {std::istreambuf_iterator<char>(file), {}};
}

input read_input(std::string const& trace, std::string const& metadata, std::size_t samples) {
  input in;
  in.name = trace;
  in.trace = read_file(trace);
  in.metadata = read_file(metadata);
  in.made.samples = samples;
  pad(in);
  return in;
}

bench::expanded_chunk run_ours(input const& in) {
  auto out = bench::expand_chunk({in.metadata.data(), in.metadata_size}, in.trace_text());
  if (!out.ok || out.samples != in.made.samples) {
    std::cerr << "decode-bench: " << in.name << ": " << out.samples << " of " << in.made.samples
              << " samples " << out.problem << '\n';
    std::exit(1);
  }
  return out;
}

/// One round of one subject. Ends the program if the subject did not do its work: a fast failure is no
/// result.
void run(std::string const& what, input const& in) {
  if (what == "ours") {
    run_ours(in);
    return;
  }
  auto const sum =
      what == "scan" ? bench::scan(in.trace_bytes()) : bench::parse_with_protobuf(in.trace_bytes());
  if (sum == 0) {
    std::cerr << "decode-bench: " << what << " could not read the trace " << in.name << '\n';
    std::exit(1);
  }
}

double milliseconds(std::string const& what, input const& in) {
  auto const begin = std::chrono::steady_clock::now();
  run(what, in);
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
}

void interleave(input const& in, int rounds) {
  static std::vector<std::string> const subjects{"scan", "protobuf", "ours"};
  std::vector<double> best(subjects.size(), std::numeric_limits<double>::infinity());
  for (int r = 0; r < rounds; ++r)
    for (std::size_t s = 0; s < subjects.size(); ++s)
      best[s] = std::min(best[s], milliseconds(subjects[s], in));

  bench::start_counting();
  auto const out = run_ours(in);
  auto const heap = bench::stop_counting();
  // Every location of the trace has a name of its own, hence frames twice: once as strings.
  auto const allowed = static_cast<double>(2 * in.made.frames + in.made.stacks) +
                       0.01 * static_cast<double>(in.made.samples) + 200;
  auto const in_and_out = static_cast<double>(in.trace_size + out.json.size());
  std::printf("%-7s %8.3f %9.3f %9.3f %13.2f %9.2f %12llu %9.0f %9.2f %14.2f\n", in.name.c_str(), best[0],
              best[1], best[2], best[2] / best[1], best[2] / best[0],
              static_cast<unsigned long long>(heap.allocations), allowed,
              static_cast<double>(heap.peak_bytes) / 1e6,
              (static_cast<double>(heap.peak_bytes + in.trace_size)) / in_and_out);
}

}  // namespace

/// decode-bench: see bench/decode_bench.py, which drives it under callgrind.
int main(int argc, char** argv) {
  CLI::App app{"Decode + convert + normalise + JSON against a bare scan and against protobuf's parser."};
  std::string what = "ours";
  std::string size = "middle";
  int rounds = 1;
  bool interleaved = false;
  app.add_option("--what", what, "one subject, for a profiler")
      ->check(CLI::IsMember({"scan", "protobuf", "ours"}))
      ->capture_default_str();
  app.add_option("--size", size, "of the trace")
      ->check(CLI::IsMember({"small", "middle", "large", "sparse", "all"}))
      ->capture_default_str();
  app.add_option("--rounds", rounds, "how often")->check(CLI::Range(1, 10'000))->capture_default_str();
  auto* interleaved_flag = app.add_flag("--interleaved", interleaved,
                                        "all subjects in turn; prints the smallest times and their ratios");
  std::string trace, metadata;
  std::size_t samples = 0;
  auto* trace_option = app.add_option("--trace", trace, "a file instead of a size");
  auto* metadata_option = app.add_option("--metadata", metadata, "its chunk's metadata JSON");
  auto* samples_option = app.add_option("--expect-samples", samples, "how many samples must come out of it");
  trace_option->needs(metadata_option)->needs(samples_option)->excludes(interleaved_flag);
  CLI11_PARSE(app, argc, argv);
  profile_relay::server::keep_freed_memory();  // as `profile-relay run` does

  if (!trace.empty()) {
    auto const in = read_input(trace, metadata, samples);
    for (int r = 0; r < rounds; ++r) run(what, in);
    return 0;
  }
  std::vector<maker::bench_size> sizes;
  if (size == "all")
    sizes = {maker::bench_size::small, maker::bench_size::middle, maker::bench_size::large,
             maker::bench_size::sparse};
  else
    sizes = {*maker::parse_bench_size(size)};
  if (interleaved)
    std::printf("%-7s %8s %9s %9s %13s %9s %12s %9s %9s %14s\n", "trace", "scan ms", "protob ms", "ours ms",
                "ours/protobuf", "ours/scan", "allocations", "allowed", "peak MB", "peak/(in+out)");
  for (auto s : sizes) {
    auto const in = make_input(s);
    if (interleaved)
      interleave(in, rounds);
    else
      for (int r = 0; r < rounds; ++r) run(what, in);
  }
  return 0;
}
