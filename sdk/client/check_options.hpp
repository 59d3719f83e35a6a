// Which options are refused.
#pragma once

#include "profile_relay/profiler.hpp"

namespace profile_relay::sdk {

/// Throws invalid_options for the first row of the option table that refuses: "dsn: ...".
void check_options(profiler_options const& options);

}  // namespace profile_relay::sdk
