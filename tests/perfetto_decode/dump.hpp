#pragma once

#include <nlohmann/json.hpp>

#include "perfetto_decode/decoded_trace.hpp"

namespace profile_relay::perfetto_decode::testing {

/// What golden files hold: decoded samples in order (trace time, wall time, task, stack leaf first) and every
/// counter that is not zero.
nlohmann::json dump(decoded_trace const& t);

}  // namespace profile_relay::perfetto_decode::testing
