#pragma once

#include <cstdint>
#include <string_view>

namespace profile_relay::server {

/// Where one record (a chunk's message or an outcome) ended. Told exactly once for each submitted record.
enum class record_end : std::uint8_t {
  delivered,    ///< the broker acknowledged it
  spooled,      ///< in the durable spool, synced
  too_large,    ///< does not fit the message limit even without the raw trace; nothing was stored
  unavailable,  ///< neither Kafka nor the spool could take it; nothing was stored: 503
};
std::string_view to_string(record_end e);

}  // namespace profile_relay::server
