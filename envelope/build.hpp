#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "envelope/raw_chunk.hpp"

namespace profile_relay::envelope {

/// What goes into an envelope with one compound chunk. The views need to live only during the call.
struct compound_envelope {
  std::string_view event_id;            ///< for the envelope header, as SDKs set it: the chunk's id
  std::optional<std::string_view> dsn;  ///< for requests without another authentication
  std::optional<std::string_view> platform;
  std::optional<std::string_view> content_type = perfetto_mime;
  std::string_view metadata;  ///< JSON, not empty
  std::string_view trace;     ///< Perfetto, not empty; together with the metadata below 4 GiB
};

/// Writes the form of contract 1.4 that clients send: what `parse` and `take_chunks` read back as one
/// Perfetto chunk. Checks nothing, so that tools can send damaged chunks on purpose. Header values must
/// be UTF-8.
std::string build_envelope(compound_envelope const& parts);

}  // namespace profile_relay::envelope
