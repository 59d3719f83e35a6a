#pragma once

#include <boost/system/result.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace profile_relay::envelope {

/// Why a request carries no usable authentication. Source: ingestion contract 5.2.
enum class auth_errc : std::uint8_t {
  missing = 1,          ///< no source: 401
  multiple,             ///< more than one of sources 1 to 5: 401
  malformed,            ///< the header or query does not parse: 401
  bad_envelope_header,  ///< source 6 unusable: 401
  bad_public_key,       ///< 400
  bad_version,          ///< 400
};

struct credentials {
  std::string public_key;  ///< 32 lowercase hex digits
  std::optional<std::string> client;
};

/// The three places of a request that may authenticate it, as they stand (absent = no such header).
struct auth_sources {
  std::optional<std::string_view> x_sentry_auth;
  std::optional<std::string_view> authorization;
  std::string_view query;  ///< without "?"; percent-encoded
};

/// Sources 1 to 4 of contract 5.2. Absent (no error) when none is present: the caller then looks at the
/// envelope's DSN.
boost::system::result<std::optional<credentials>, auth_errc> parse_auth(auth_sources const& sources);

}  // namespace profile_relay::envelope
