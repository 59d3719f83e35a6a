#pragma once

#include <string>
#include <vector>

#include "config/document.hpp"
#include "config/project.hpp"

namespace profile_relay::config {

/// The valid entries of `config.quotas` (contract 6). Each invalid one is dropped with a line in `warnings`
/// that begins with `file_name` and names the entry and the rule it breaks.
std::vector<quota> read_quotas(node const& list, std::string const& file_name,
                               std::vector<std::string>& warnings);

}  // namespace profile_relay::config
