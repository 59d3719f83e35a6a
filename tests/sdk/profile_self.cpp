// Profiles itself with the real sampler and writer. Writes the trace, and what our decoder reads in it as JSON, for
// compare_with_official.py.
#include <fstream>
#include <iostream>

#include "perfetto_decode/decoded_trace.hpp"
#include "sdk/core/clocks.hpp"
#include "sdk/core/sampler.hpp"
#include "sdk/core/trace_builder.hpp"
#include "tests/perfetto_decode/dump.hpp"
#include "tests/sdk/sampler/support.hpp"

namespace sdk = profile_relay::sdk;
namespace pd = profile_relay::perfetto_decode;

namespace {

std::atomic<std::uint64_t> work{0};

__attribute__((noinline)) void spin() {
  for (int i = 0; i < 10'000; ++i) work.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  auto const factory = sdk::make_trace_builder_factory();
  auto const trace = factory->begin(sdk::read_clocks());
  sdk::testing::recording_sink sink;
  sink.each = [&](auto samples) {
    for (auto const& s : samples) trace->append(s);
  };
  auto const sampler = sdk::make_signal_sampler();
  if (sampler->start(sink) != sdk::sampler_status::running) return 1;
  {
    sdk::testing::busy_thread const one([] { spin(); }), two([] { spin(); });
    sink.wait_for_samples_of(one.tid(), 50);
    sink.wait_for_samples_of(two.tid(), 50);
  }
  sampler->stop();
  auto const bytes = trace->finish(sdk::read_clocks());
  std::ofstream(argv[1], std::ios::binary) << bytes;
  auto const decoded = pd::decode(std::as_bytes(std::span(bytes)));
  if (!decoded) {
    std::cerr << decoded.error().what << '\n';
    return 1;
  }
  std::ofstream(argv[2]) << pd::testing::dump(decoded.value());
  return 0;
}
