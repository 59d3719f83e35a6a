#include "perfetto_decode/counters.hpp"

namespace profile_relay::perfetto_decode {
namespace {
constexpr std::array<counter_info, counter_count> table{{
#define X(id, sev, text) {counter::id, #id, severity::sev, text},
    PROFILE_RELAY_DECODE_COUNTERS(X)
#undef X
}};
}  // namespace

std::span<const counter_info> counter_table() { return table; }

bool counters::any_loss() const {
  for (auto const& row : table)
    if (row.level == severity::loss && (*this)[row.id] != 0) return true;
  return false;
}

}  // namespace profile_relay::perfetto_decode
