#pragma once

// Internal to envelope/: from a header's JSON object to its typed form.

#include <simdjson.h>

#include <boost/system/result.hpp>
#include <string>

#include "envelope/envelope.hpp"

namespace profile_relay::envelope::detail {

/// Why a header is refused, in one clause; the caller adds the place.
struct header_fault {
  std::string what;
};

/// The keys of contract 1.3. A malformed `trace` only sets `trace_malformed`.
boost::system::result<envelope_header, header_fault> read_envelope_header(simdjson::dom::object object);

/// The keys of contract 1.4. Refuses a header without a string `type`.
boost::system::result<item_header, header_fault> read_item_header(simdjson::dom::object object);

}  // namespace profile_relay::envelope::detail
