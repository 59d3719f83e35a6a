#pragma once

#include <boost/assert/source_location.hpp>
#include <boost/system/result.hpp>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "envelope/envelope.hpp"

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

[[noreturn]] inline void throw_exception_from_error(auth_errc, boost::source_location const&) {
  throw std::runtime_error("envelope: no usable authentication");
}

template <class T>
using auth_result = boost::system::result<T, auth_errc>;

/// The highest `sentry_version` that is understood; an absent one counts as this.
inline constexpr std::uint64_t protocol_version = 7;

struct credentials {
  std::string public_key;  ///< 32 lowercase hex digits
  /// The SDK's name and version when it is fit for logs (UTF-8, no control characters, at most 256
  /// bytes), else absent.
  std::optional<std::string> client;
};

/// The three places of a request that may authenticate it, as they stand (absent = no such header).
struct auth_sources {
  std::optional<std::string_view> x_sentry_auth;
  std::optional<std::string_view> authorization;
  std::string_view query;  ///< without "?"; percent-encoded
};

/// Sources 1 to 4 of contract 5.2. Absent (no error) when none is present: the caller then reads the
/// envelope's first line and asks `envelope_credentials`. `multiple` is decided before any source is parsed.
/// An `Authorization` of another scheme, or a Basic one that does not decode to `name:anything`, is no
/// source; an `X-Sentry-Auth` without the `Sentry` prefix is a malformed one. Unknown keys, `sentry_secret`
/// and `sentry_timestamp` are ignored; of a key given twice the last counts.
auth_result<std::optional<credentials>> parse_auth(auth_sources const& sources);

/// Source 6: the `dsn` of what `parse_header` returned. `missing` when the header has no DSN,
/// `bad_envelope_header` when the line or its DSN is unusable. Only to be asked when `parse_auth` found none.
auth_result<credentials> envelope_credentials(result<envelope_header> const& first_line);

}  // namespace profile_relay::envelope
