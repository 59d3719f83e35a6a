// The bytes of one upload.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "sdk/core/transport.hpp"
#include "sdk/transport/discards.hpp"

namespace profile_relay::sdk {

inline constexpr std::string_view perfetto_mime = "application/x-perfetto-trace";
/// The same string in the item's header and in the metadata: the server compares them to the letter.
inline constexpr std::string_view chunk_platform = "native";

/// Who sends, for the metadata and the User-Agent.
struct client_sdk {
  std::string name;
  std::string version;
};

/// An envelope in three parts, so that a trace of tens of megabytes is not copied to be sent.
struct envelope_text {
  std::string before;      ///< headers and metadata
  std::string_view trace;  ///< into the chunk
  std::string after;       ///< the end of the item, and a client report if there is something to report
};

/// The JSON part of the compound item (profiling API, 4.1). Empty release and environment are left out. What is not
/// UTF-8 is replaced, since the server refuses a chunk for it.
[[nodiscard]] std::string chunk_metadata(profile_chunk const& chunk, client_sdk const& sdk);

/// The payload of a client_report item: `wall_s` in seconds since 1970, one row per reason that was counted.
[[nodiscard]] std::string client_report(discard_counts const& counts, std::int64_t wall_s);

/// One envelope with one compound profile chunk, under the chunk's id, and after it a client report unless `counts` is
/// all zero. The views point into `chunk`, which must outlive the answer.
[[nodiscard]] envelope_text build_envelope(profile_chunk const& chunk, client_sdk const& sdk,
                                           discard_counts const& counts, std::int64_t wall_s);

}  // namespace profile_relay::sdk
