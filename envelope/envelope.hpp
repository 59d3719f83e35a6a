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

/// The envelope header's keys that mean something here. Source: ingestion contract 1.3.
struct envelope_header {
  std::optional<std::string> event_id;  ///< 32 lowercase hex digits, dashes removed
  std::optional<dsn> dsn_;              ///< parsed; a malformed one is `invalid_header`
  std::optional<std::string> origin;    ///< must equal the request's; the server compares
  bool trace_malformed = false;         ///< `trace` is tolerated, and logged at debug
};

/// An item header's keys that mean something here. Source: ingestion contract 1.4.
struct item_header {
  std::string type;
  std::optional<std::uint32_t> length;
  std::optional<std::string> content_type;  ///< as sent; compare with `iequals`
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
/// one bad item refuses the whole envelope. Complexity: linear in the body, constant per item.
result<parsed_envelope> parse(padded_view body);

/// Only the first line, for authentication by the `dsn` in it (contract 5.2, source 6).
result<envelope_header> parse_header(padded_view body);

}  // namespace profile_relay::envelope
