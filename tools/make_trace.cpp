#include <CLI/CLI.hpp>
#include <cstdint>
#include <fstream>
#include <iostream>
#include <optional>
#include <string>

#include "tools/trace_maker.hpp"

namespace maker = profile_relay::trace_maker;

namespace {

bool write_file(std::string const& name, std::string const& bytes) {
  if (name == "-")
    return static_cast<bool>(
        std::cout.write(bytes.data(), static_cast<std::streamsize>(bytes.size())).flush());
  std::ofstream out(name, std::ios::binary | std::ios::trunc);
  return static_cast<bool>(out.write(bytes.data(), static_cast<std::streamsize>(bytes.size())).flush());
}

}  // namespace

/// make-trace: a deterministic Perfetto trace, and the chunk metadata that goes with it.
int main(int argc, char** argv) {
  CLI::App app{"Makes a deterministic Perfetto trace: same arguments, same bytes."};
  std::string kind = "android";
  std::string size = "middle";
  std::string out = "-";
  std::string metadata_out;
  std::uint64_t seed = 1;
  std::int64_t now = maker::default_now;
  std::optional<std::uint32_t> samples;
  app.add_option("--kind", kind, "android (an app's 25 s) or bench")
      ->check(CLI::IsMember({"android", "bench"}))
      ->capture_default_str();
  app.add_option("--size", size, "of kind bench")
      ->check(CLI::IsMember({"small", "middle", "large", "sparse"}))
      ->capture_default_str();
  app.add_option("--samples", samples, "of kind bench, instead of the size's own number")
      ->check(CLI::Range(24, 99'999));
  app.add_option("--seed", seed, "another seed, another trace")->capture_default_str();
  app.add_option("--now", now, "Unix seconds at the end of the capture")
      ->check(CLI::Range(std::int64_t{1'000'000'000}, std::int64_t{9'000'000'000}))
      ->capture_default_str();
  app.add_option("-o,--out", out, "file for the trace, - is standard output")->capture_default_str();
  app.add_option("--metadata-out", metadata_out, "file for the chunk's metadata JSON");
  CLI11_PARSE(app, argc, argv);

  auto const made = kind == "android" ? maker::make_android(seed, now)
                                      : maker::make_bench(*maker::parse_bench_size(size), seed, now, samples);
  if (!write_file(out, made.bytes)) {
    std::cerr << "make-trace: cannot write " << out << '\n';
    return 1;
  }
  if (!metadata_out.empty() && !write_file(metadata_out, maker::make_metadata(seed) + '\n')) {
    std::cerr << "make-trace: cannot write " << metadata_out << '\n';
    return 1;
  }
  std::cerr << "make-trace: " << kind << (kind == "bench" ? " " + size : "") << ", " << made.samples
            << " samples of " << made.threads << " threads in " << static_cast<double>(made.span_ns) / 1e9
            << " s, " << made.frames << " frames, " << made.stacks << " stacks, "
            << static_cast<double>(made.bytes.size()) / 1e6 << " MB\n";
  return 0;
}
