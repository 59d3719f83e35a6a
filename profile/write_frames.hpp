#pragma once

#include <cstddef>
#include <string>

#include "profile/sample_v2.hpp"

namespace profile_relay::profile {

/// The elements of `profile.frames`, joined by commas. False soon after `out` has become longer than
/// `max_bytes`.
bool append_frames(std::string& out, sample_v2::chunk const& c, std::size_t max_bytes);

}  // namespace profile_relay::profile
