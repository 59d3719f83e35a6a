// Everything of the outside world that a client uses; tests put fakes here.
#pragma once

#include <functional>
#include <memory>

#include "profile_relay/profiler.hpp"
#include "sdk/client/chunk_worker.hpp"
#include "sdk/core/sampler.hpp"
#include "sdk/core/trace_builder.hpp"
#include "sdk/core/transport.hpp"
#include "sdk/lifecycle/random_source.hpp"

namespace profile_relay::sdk {

struct client_parts {
  std::unique_ptr<random_source> random;
  std::unique_ptr<sampler> stacks;
  std::unique_ptr<trace_builder_factory> traces;
  /// Called when the first profile starts, so that a process that is never sampled gets no thread and no socket.
  std::function<std::unique_ptr<transport>(transport_events)> make_transport;
  std::unique_ptr<chunk_worker> worker;
  std::function<clock_reading()> clock;
};

/// The real ones for these options, which have been checked.
client_parts make_real_parts(profiler_options const& options);

}  // namespace profile_relay::sdk
