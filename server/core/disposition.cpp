#include "server/core/disposition.hpp"

namespace profile_relay::server {

std::string_view to_string(record_end e) {
  switch (e) {
    case record_end::delivered:
      return "delivered";
    case record_end::spooled:
      return "spooled";
    case record_end::too_large:
      return "too_large";
    case record_end::unavailable:
      return "unavailable";
  }
  return "unknown";
}

disposition disposition::of(record_end e) {
  switch (e) {
    case record_end::delivered:
      return delivered();
    case record_end::spooled:
      return spooled();
    case record_end::too_large:
      return rejected(reason::profiling_exceed_size_limit);
    case record_end::unavailable:
      break;
  }
  return rejected(reason::unavailable);
}

}  // namespace profile_relay::server
