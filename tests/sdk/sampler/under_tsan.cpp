// To the sampler this program looks like one under ThreadSanitizer.
#include <cstdio>

#include "sdk/core/sampler.hpp"

extern "C" void __tsan_init() {}

namespace sdk = profile_relay::sdk;

namespace {

class no_sink final : public sdk::tick_sink {
  void on_tick(std::span<const sdk::stack_sample>, sdk::tick_counts const&) noexcept override {}
};

}  // namespace

int main() {
  no_sink sink;
  auto const status = sdk::make_signal_sampler()->start(sink);
  if (status == sdk::sampler_status::unavailable) return 0;
  std::puts("the sampler runs although ThreadSanitizer is there");
  return 1;
}
