#include "sdk/core/sampler.hpp"

namespace sdk = profile_relay::sdk;

namespace {

class no_sink final : public sdk::tick_sink {
  void on_tick(std::span<const sdk::stack_sample>, sdk::tick_counts const&) noexcept override {}
};

struct copy {
  no_sink sink;
  std::unique_ptr<sdk::sampler> sampler = sdk::make_signal_sampler();
};

}  // namespace

extern "C" void* copy_start() {
  auto* const c = new copy;
  if (c->sampler->start(c->sink) == sdk::sampler_status::running) return c;
  delete c;
  return nullptr;
}

extern "C" void copy_stop(void* c) { delete static_cast<copy*>(c); }
