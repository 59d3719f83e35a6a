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

/// The longest metadata that is probed or parsed (contract 13).
inline constexpr std::size_t max_metadata_bytes = 1U << 20;

/// What an item turned out to be by the shape table S1 to S5 and the pairing rules (contract 3.2, 3.3).
enum class chunk_shape : std::uint8_t {
  perfetto,       ///< S2, S3 or a pair: metadata and trace, both not empty
  json,           ///< S5: one JSON document
  invalid_split,  ///< S1 or S4: rejected as profiling_invalid_sampled_profile
  unknown_pair,   ///< a pair that nothing calls Perfetto: profiling_platform_not_supported
};

/// One profile chunk before its payload is parsed: views into the request's buffer, which must outlive it.
/// Compound items and pairs look the same here; nothing below knows which it was.
struct raw_chunk {
  chunk_shape shape = chunk_shape::json;
  std::size_t item_index = 0;           ///< of the profile_chunk item
  std::optional<std::string> platform;  ///< that item's header; of a pair, else the data item's
  padded_view metadata;                 ///< JSON part; of other shapes the whole payload
  padded_view trace;                    ///< empty unless `perfetto` or from a pair
  bool known_from_metadata = false;     ///< S3, or a pair that only its metadata calls Perfetto

  /// What size limits and quotas count: of a pair the sum of both items.
  std::size_t size() const { return metadata.size() + trace.size(); }
};

/// What was in the envelope besides chunks, for counters. The types of `not_served` are the fixed list of
/// contract 2, in static storage; other types are counted without their name.
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

/// Takes the chunks out of an envelope: item types, pairing, shapes. Reads no payload, except that S3
/// and pairs whose headers do not say Perfetto have the metadata's `content_type` probed (metadata that
/// is no JSON object, over 1 MiB or deeper than 64 levels says nothing). With `pairing` off,
/// profile_chunk_data is an unknown type.
chunk_set take_chunks(parsed_envelope const& env, bool pairing = true);

/// Data category of a platform (contract 3.5): 26 for cocoa, android, javascript; 18 otherwise.
enum class data_category : std::uint8_t { profile_chunk = 18, profile_chunk_ui = 26 };
data_category category_of_platform(std::string_view platform);
std::string_view category_name(data_category c);

}  // namespace profile_relay::envelope
