// Chance from the system.
#pragma once

#include "sdk/lifecycle/random_source.hpp"

namespace profile_relay::sdk {

/// Asks the kernel each time, so two processes of one fork never share a draw or an id.
class system_random final : public random_source {
 public:
  double uniform() override;
  std::string new_id() override;
};

}  // namespace profile_relay::sdk
