#pragma once

#include <boost/system/result.hpp>
#include <cstddef>
#include <cstdint>

#include "perfetto_decode/decoded_trace.hpp"
#include "profile/error.hpp"
#include "profile/sample_v2.hpp"

namespace profile_relay::profile {

struct convert_limits {
  std::size_t max_json_bytes = 50U << 20;  ///< what could only be larger is refused before it is built
  std::size_t max_frames = 1'000'000;
  std::size_t max_bytes =
      55U << 20;  ///< memory for frames, stacks and samples; more is refused before it is taken
};

/// What was noticed on the way.
struct convert_counts {
  std::uint64_t emitted_samples = 0;
  std::uint64_t unplaced_samples = 0;  ///< not emitted for want of a wall time; the decoder counted why
  std::uint64_t empty_stacks = 0;      ///< emitted samples whose stack has no frame: idle
  std::uint64_t foreign_process_samples = 0;  ///< emitted, of processes other than the first sample's
  std::uint64_t image_without_range = 0;
  std::uint64_t image_without_build_id = 0;
};

/// Puts a decoded trace into `to`, whose header (client images included) was read from the metadata.
/// Afterwards `to` refers to the trace, its storage and its input, which must outlive it; it still has to be
/// normalised. Source: perfetto-decoding 14.1 to 14.6 and 14.8.
///
/// Refuses a trace without samples (`not_enough_samples`), one whose samples have no wall time
/// (`invalid_sampled_profile`), and one that cannot fit (`exceed_size_limit`).
/// Memory: at most convert_limits::max_bytes and what one text block takes.
/// Complexity: linear; allocates for each distinct stack, frame, image and thread, and never for a sample.
boost::system::result<void, error> convert(perfetto_decode::decoded_trace const& trace,
                                           convert_limits const& lim, sample_v2::chunk& to,
                                           convert_counts& counts);

}  // namespace profile_relay::profile
