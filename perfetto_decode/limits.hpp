#pragma once

#include <cstddef>
#include <cstdint>

namespace profile_relay::perfetto_decode {

/// Bounds on what one trace may cost. The defaults are Relay's values (what Relay accepts is accepted here);
/// a breach refuses the whole trace, nothing is truncated. Source: perfetto-decoding 14.9, contract 3.8.
struct limits {
  std::size_t packet_bytes = 4u << 20;  ///< one packet, checked before its body is looked at
  std::uint32_t packets = 110'000;      ///< error when the count reaches it: 109,999 pass
  std::uint32_t samples = 100'000;      ///< 101 Hz x 60 s = 6,060 a thread: 16.5 busy threads
  std::uint32_t callstack_depth = 1'000;
  std::uint32_t path_components = 100;  ///< of one mapping; more: no path, counted
  std::uint32_t frames = 1'000'000;     ///< unique
  std::uint32_t sequences = 4'096;
  std::size_t inflated_bytes = 50u << 20;  ///< of all bundles, or of a compressed file
  std::size_t working_bytes = 15u << 20;   ///< intern tables and caches of all sequences
  std::size_t result_bytes = 40u << 20;    ///< frames, stacks, mappings, samples: output bytes
};

}  // namespace profile_relay::perfetto_decode
