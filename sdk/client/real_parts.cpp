#include "sdk/client/client_parts.hpp"
#include "sdk/client/system_random.hpp"
#include "sdk/core/clocks.hpp"
#include "sdk/transport/http_transport.hpp"

namespace profile_relay::sdk {
namespace {

sdk::stack_walk walk_of(profile_relay::stack_walk walk) {
  switch (walk) {
    case profile_relay::stack_walk::automatic:
      return sdk::stack_walk::automatic;
    case profile_relay::stack_walk::unwind_tables:
      return sdk::stack_walk::unwind_tables;
    case profile_relay::stack_walk::frame_pointers:
      return sdk::stack_walk::frame_pointers;
  }
  return sdk::stack_walk::automatic;
}

}  // namespace

client_parts make_real_parts(profiler_options const& options) {
  client_parts parts;
  parts.random = std::make_unique<system_random>();
  parts.stacks = make_signal_sampler(walk_of(options.walk));
  parts.traces = make_trace_builder_factory();
  parts.make_transport = [dsn = options.dsn, ca_file = options.ca_certs.string()](transport_events events) {
    return make_http_transport({.dsn = dsn, .ca_file = ca_file}, std::move(events));
  };
  parts.worker = std::make_unique<thread_worker>();
  parts.clock = read_clocks;
  return parts;
}

}  // namespace profile_relay::sdk
