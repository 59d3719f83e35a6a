// Where chunks go, and with which key.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace profile_relay::sdk {

/// `http[s]://public_key[:secret]@host[:port][/prefix]/project_id`, taken apart. A secret is accepted and never sent.
struct dsn {
  std::string scheme;                 ///< "http" or "https"
  std::string public_key;             ///< letters, digits, "-" and "_"
  std::string host;                   ///< an IPv6 address with its brackets
  std::optional<std::uint16_t> port;  ///< absent = the scheme's own
  std::string prefix;                 ///< "" or "/a/b", without a slash at the end
  std::string project_id;             ///< digits

  bool operator==(dsn const&) const = default;

  /// Where envelopes are posted to.
  [[nodiscard]] std::string envelope_url() const;
  /// The value of X-Sentry-Auth. `client` is "name/version".
  [[nodiscard]] std::string auth_header(std::string_view client) const;
};

/// Either a value or why there is none, in words fit for whoever wrote the DSN. The key is not repeated in them.
struct dsn_result {
  std::optional<dsn> value;
  std::string error;
};

/// Refuses other schemes, an absent or odd key, a host with characters that no host has, port 0, a project that is no
/// number, a query, a fragment, and blanks and control characters anywhere.
[[nodiscard]] dsn_result parse_dsn(std::string_view text);

}  // namespace profile_relay::sdk
