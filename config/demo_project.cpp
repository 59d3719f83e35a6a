#include "config/load.hpp"

namespace profile_relay::config {

std::string demo_project_text(std::string_view public_key_hex) {
  return R"({
  "publicKeys": [
    {"publicKey": ")" +
         std::string(public_key_hex) + R"(", "numericId": 1, "isEnabled": true}
  ],
  "organizationId": 1,
  "slug": "demo",
  "disabled": false,
  "config": {
    "allowedDomains": ["*"],
    "eventRetention": 90,
    "features": [
      "organizations:continuous-profiling",
      "organizations:continuous-profiling-perfetto"
    ],
    "quotas": []
  }
}
)";
}

}  // namespace profile_relay::config
