#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "envelope/envelope.hpp"

namespace profile_relay::envelope {

inline constexpr std::string_view perfetto_mime = "application/x-perfetto-trace";

/// What an item turned out to be by the shape table S1 to S5 and the pairing rules (contract 3.2, 3.3).
enum class chunk_shape : std::uint8_t {
  perfetto,       ///< S2 or a pair: metadata and trace, both not empty
  json,           ///< S5: one JSON document
  invalid_split,  ///< S1 or S4: rejected as profiling_invalid_sampled_profile
  unknown_pair,   ///< a pair that nothing calls Perfetto: profiling_platform_not_supported
};

/// One profile chunk before its payload is parsed: views into the request's buffer.
/// Compound items and pairs look the same here; nothing below knows which it was.
struct raw_chunk {
  chunk_shape shape = chunk_shape::json;
  std::size_t item_index = 0;
  std::optional<std::string> platform;  ///< the item header's
  padded_view metadata;                 ///< JSON part; the whole payload for `json`
  padded_view trace;                    ///< empty for `json`
  bool known_from_metadata =
      false;  ///< S3 or a pair recognised by its metadata: flags are checked after the probe

  std::size_t size() const { return metadata.size() + trace.size(); }
};

/// What was in the envelope besides chunks, for counters. Types of `not_served` come from the fixed list of
/// contract 2.
struct item_counts {
  std::map<std::string_view, std::uint64_t> not_served;
  std::uint64_t unknown = 0;
  std::uint64_t data_replaced = 0;  ///< profile_chunk_data_replaced
  std::uint64_t data_orphaned = 0;  ///< profile_chunk_data_orphaned
};

struct chunk_set {
  std::vector<raw_chunk> chunks;  ///< in item order
  item_counts counts;
};

/// Takes the chunks out of an envelope: item types, pairing, shapes. Reads no payload except for S3 and
/// pairs, where the metadata's `content_type` is probed. With `pairing` off, profile_chunk_data is an unknown
/// type.
chunk_set take_chunks(parsed_envelope const& env, bool pairing = true);

/// Data category of a platform (contract 3.5): 26 for cocoa, android, javascript; 18 otherwise.
enum class data_category : std::uint8_t { profile_chunk = 18, profile_chunk_ui = 26 };
data_category category_of_platform(std::string_view platform);
std::string_view category_name(data_category c);

}  // namespace profile_relay::envelope
