// The seam to chance; tests script it.
#pragma once

#include <string>

namespace profile_relay::sdk {

class random_source {
 public:
  virtual ~random_source() = default;
  /// Uniform in [0, 1).
  virtual double uniform() = 0;
  /// 32 lower-case hex digits, new each time.
  virtual std::string new_id() = 0;
};

}  // namespace profile_relay::sdk
