#include "config/changes.hpp"

#include "config/option_table.hpp"

namespace profile_relay::config {

std::vector<option_change> changes(settings const& before, settings const& after) {
  std::vector<option_change> out;
  for (auto const& row : option_table())
    if (auto now = row.print(after); now != row.print(before))
      out.push_back({row.key, std::move(now), row.live});
  return out;
}

}  // namespace profile_relay::config
