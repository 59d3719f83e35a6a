#pragma once

#include <boost/assert/source_location.hpp>
#include <boost/system/result.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace profile_relay::envelope {

/// Why a request body is not an envelope (ingestion contract 1.2). Each refuses the whole request with 400.
enum class errc : std::uint8_t {
  unexpected_eof = 1,  ///< a payload is shorter than its `length`, or a header is missing after a blank line
  missing_header,      ///< the body is empty
  missing_newline,     ///< something other than "\n" or EOF after a header or a payload
  invalid_header,  ///< the envelope header is not a JSON object, not UTF-8, or a known key has a wrong value
  invalid_item_header,  ///< the same for an item header, or it has no string `type`
  header_mismatch,      ///< the envelope header contradicts the request (DSN, origin)
  internal_item_type,   ///< an item type that only relays send to each other
};

/// The enumerator's own name: a stable text for metric labels and logs.
constexpr std::string_view name(errc code) {
  switch (code) {
    case errc::unexpected_eof:
      return "unexpected_eof";
    case errc::missing_header:
      return "missing_header";
    case errc::missing_newline:
      return "missing_newline";
    case errc::invalid_header:
      return "invalid_header";
    case errc::invalid_item_header:
      return "invalid_item_header";
    case errc::header_mismatch:
      return "header_mismatch";
    case errc::internal_item_type:
      return "internal_item_type";
  }
  return "unknown";
}

/// A parse error with the place where it was found.
struct error {
  errc code;
  std::size_t offset = 0;           ///< bytes from the start of the decoded body
  std::optional<std::size_t> item;  ///< 0-based item number; absent for the envelope header
  std::string what;                 ///< one clause for people, without payload bytes
};

[[noreturn]] inline void throw_exception_from_error(error const& e, boost::source_location const&) {
  throw std::runtime_error("envelope: " + e.what);
}

template <class T>
using result = boost::system::result<T, error>;

}  // namespace profile_relay::envelope
