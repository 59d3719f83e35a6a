#pragma once

#include <string>
#include <vector>

#include "config/settings.hpp"

namespace profile_relay::config {

/// An option whose value differs between two settings.
struct option_change {
  std::string key;
  std::string now;  ///< as `config show` prints it, secrets redacted
  bool live;        ///< takes effect without a restart
};

/// In the order of the option table. Two secrets that are both redacted count as equal.
std::vector<option_change> changes(settings const& before, settings const& after);

}  // namespace profile_relay::config
