#pragma once

#include <string_view>

#include "perfetto_decode/counters.hpp"

namespace profile_relay::server {

/// What an operator can do about a counter that is not zero; "" where there is nothing to do.
std::string_view advice_for(perfetto_decode::counter c);

}  // namespace profile_relay::server
