#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "envelope/dsn.hpp"
#include "envelope/error.hpp"
#include "envelope/padded_view.hpp"

namespace profile_relay::envelope {

/// Bounds of what a parse may allocate beside the body, whatever the body says: about 32 MiB with these.
/// Far above any real envelope: SDKs send tens of items whose headers have some hundred bytes.
inline constexpr std::size_t max_items = 100'000;
inline constexpr std::size_t max_header_bytes = 1U << 20;          ///< one header, envelope or item
inline constexpr std::size_t max_header_depth = 64;                ///< nesting of a header's JSON
inline constexpr std::size_t max_headers_total_bytes = 16U << 20;  ///< all item headers together

/// The envelope header's keys that mean something here. Source: ingestion contract 1.3.
struct envelope_header {
  std::optional<std::string> event_id;  ///< 32 lowercase hex digits, dashes removed
  std::optional<dsn> dsn_;              ///< parsed; a malformed one is `invalid_header`
  std::optional<std::string> client;    ///< name/version of the SDK, if it authenticates by this header
  std::optional<std::string> origin;    ///< must equal the request's; the server compares
  bool trace_malformed = false;         ///< `trace` is no sampling context: tolerated, logged at debug
};

/// An item header's keys that mean something here. Source: ingestion contract 1.4.
struct item_header {
  std::string type;
  std::optional<std::uint32_t> length;
  std::optional<std::string> content_type;  ///< as sent; compare with `iequals` (wire_text.hpp)
  std::optional<std::uint32_t> meta_length;
  std::optional<std::string> platform;
};

struct item {
  item_header header;
  padded_view payload;     ///< into the request's buffer
  std::size_t index = 0;   ///< 0-based number within the envelope
  std::size_t offset = 0;  ///< where its header starts in the body
};

/// A parsed envelope: views into the body it was parsed from, which must outlive it.
struct parsed_envelope {
  envelope_header header;
  std::vector<item> items;
};

/// Splits a decoded request body into items, without copying a payload.
/// Refuses (with byte offset and item number) whatever ingestion contract 1.2 answers with 400;
/// one bad item refuses the whole envelope. Blanks and line ends before a header, and line ends between its
/// JSON tokens, are legal. A header with a number that fits no 64 bits is refused, unlike upstream.
/// Complexity: linear in the body; headers are read twice, a payload with `length` not at all.
result<parsed_envelope> parse(padded_view body);

/// Only the envelope header and the byte after it: for authentication by its `dsn` (contract 5.2, source 6).
result<envelope_header> parse_header(padded_view body);

}  // namespace profile_relay::envelope
