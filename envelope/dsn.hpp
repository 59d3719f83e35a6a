#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace profile_relay::envelope {

/// `scheme://public_key@host[:port]/project_id`. Secrets and path prefixes are accepted and ignored.
struct dsn {
  std::string scheme;      ///< http or https
  std::string public_key;  ///< 32 lowercase hex digits
  std::string host;
  std::optional<std::uint16_t> port;
  std::uint64_t project_id = 0;

  bool operator==(dsn const&) const = default;
};

/// Absent when `text` is not a DSN with a 32-hex key and a numeric project id.
std::optional<dsn> parse_dsn(std::string_view text);

/// True for 32 hex digits (either case), optionally followed by a flag suffix such as ":no-cache" or
/// "-no-cache". `out` receives the 32 digits in lowercase.
bool parse_public_key(std::string_view text, std::string& out);

}  // namespace profile_relay::envelope
