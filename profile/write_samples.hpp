#pragma once

#include <cstddef>
#include <string>

#include "profile/sample_v2.hpp"

namespace profile_relay::profile {

/// The two parts of a payload that grow with the number of samples. Both return false as soon as `out` is
/// longer than `max_bytes`.

/// The elements of `profile.samples`, joined by commas.
bool append_samples(std::string& out, sample_v2::chunk const& c, std::size_t max_bytes);

/// The elements of `profile.stacks`, joined by commas.
bool append_stacks(std::string& out, sample_v2::chunk const& c, std::size_t max_bytes);

}  // namespace profile_relay::profile
