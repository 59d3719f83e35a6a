#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "envelope/padded_view.hpp"
#include "profile/error.hpp"

namespace profile_relay::profile {

struct hot_function {
  std::string name;     ///< "module.function", "function", or package and address of what has no name
  std::string package;  ///< file name of the library or archive; "" when unknown
  double seconds = 0;   ///< self time
  double share = 0;     ///< of profile_summary::busy_seconds
};

struct profile_summary {
  std::size_t samples = 0, threads = 0, frames = 0, stacks = 0;
  double span_seconds = 0;            ///< first to last sample
  double busy_seconds = 0;            ///< self time of all functions of all threads
  std::vector<hot_function> hottest;  ///< by self time, at most as many as asked for
};

/// What a person wants to see of a Sample v2 payload first. A sample lasts until the next one of its thread,
/// and its time belongs to the leaf of its stack; a thread's last sample lasts no time. Source:
/// kafka-and-consumers 6.
/// Refuses what `read_json` and `normalise` refuse.
result<profile_summary> summarise(envelope::padded_view payload, std::size_t functions);

}  // namespace profile_relay::profile
