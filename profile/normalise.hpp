#pragma once

#include <boost/system/result.hpp>
#include <cstdint>

#include "profile/error.hpp"
#include "profile/sample_v2.hpp"

namespace profile_relay::profile {

/// The one normalisation, for client chunks and converted traces alike. In this order: samples of threads
/// with at most one non-idle sample are dropped; ids must be in range; samples are sorted stably by time; the
/// span must not exceed 66 s; cocoa addresses are masked; metadata of threads without a sample is dropped. No
/// frame, stack or image is trimmed or renumbered. Source: contract 3.7. `dropped_samples` receives how many
/// samples the first step took, also on refusal. Complexity: linear, plus a sort if the samples are not in
/// order.
boost::system::result<void, error> normalise(sample_v2::chunk& c, std::uint64_t& dropped_samples);

}  // namespace profile_relay::profile
