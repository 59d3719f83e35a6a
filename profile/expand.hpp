#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "envelope/raw_chunk.hpp"
#include "perfetto_decode/counters.hpp"
#include "perfetto_decode/error.hpp"
#include "perfetto_decode/limits.hpp"
#include "profile/convert.hpp"
#include "profile/error.hpp"
#include "profile/write_json.hpp"

namespace profile_relay::profile {

struct expand_limits {
  perfetto_decode::limits decode;
  std::size_t max_profile_size =
      50u << 20;  ///< of the trace alone, and of the JSON alone, before and after expansion
  std::size_t max_metadata = envelope::max_metadata_bytes;  ///< compound metadata (contract 13)
  std::size_t max_json_depth = 64;                          ///< of metadata and of plain JSON
};

/// What was noticed on the way and is not an error. Names of own counters (contract, perfetto-decoding 12).
struct expand_notes {
  bool platform_from_payload = false;  ///< C4: profile_chunks_without_platform
  bool client_sdk_missing = false;     ///< contract 3.4
  bool client_profile_kept = false;    ///< C5
  std::uint64_t empty_stacks = 0;
  std::uint64_t sample_records = 0;           ///< of every kind, before resolving
  std::uint64_t emitted_samples = 0;          ///< in the payload
  std::uint64_t unplaced_samples = 0;         ///< not emitted for want of a wall time
  std::uint64_t foreign_process_samples = 0;  ///< of processes other than the first sample's
  bool has_decode_counts = false;             ///< a trace was decoded
  perfetto_decode::counters decode;           ///< of decoding and of what the conversion adds to its table

  /// True if samples, stacks or parts of them are missing from the output: worth a line in the log.
  bool any_loss() const { return unplaced_samples != 0 || decode.any_loss(); }
};

/// Why a chunk is rejected whose trace the decoder refuses.
error refusal_of(perfetto_decode::error const& e);

/// What converting `trace` may take: the decoder's budgets go on to hold for what a trace is turned into.
convert_limits limits_after(perfetto_decode::decoded_trace const& trace, expand_limits const& lim);

/// A chunk that is ready for Kafka. `raw_trace` points into the request's buffer.
struct expanded {
  std::string chunk_id;     ///< 32 lowercase hex
  std::string profiler_id;  ///< 32 lowercase hex
  std::string platform;
  std::string release;                   ///< "" when absent
  std::string environment;               ///< "" when absent
  std::string text;                      ///< what was to stand before the payload, and the payload
  std::size_t payload_begin = 0;         ///< offset in `text`
  std::span<const std::byte> raw_trace;  ///< empty for a plain JSON chunk
  std::string raw_content_type;          ///< kafka-and-consumers 2, inline mode; "" for a plain JSON chunk

  /// Sample v2 JSON, UTF-8.
  std::string_view payload() const { return std::string_view(text).substr(payload_begin); }
};

struct expand_outcome {
  result<expanded> value;
  expand_notes notes;    ///< filled as far as the work got, also on rejection
  std::string chunk_id;  ///< if it was readable, also on rejection
  std::string platform;  ///< header, else payload; "" when neither is known (category profile_chunk)
};

/// Does to one chunk what contract 3.2 (checks C1 to C8, in order) and 3.7 (normalise) say: parse metadata
/// or JSON, decode and convert a trace, normalise, write the payload. Pure; one bad chunk costs nothing but
/// itself. `address_blocked`: the project filters the client's address (contract 10), which rejects what expands before
/// it is normalised (3.6), so that a broken chunk keeps its own reason. `place`: where the payload goes, so that it need not
/// be copied into a record.
/// Refuses by value only; throws nothing but std::bad_alloc.
expand_outcome expand(envelope::raw_chunk const& chunk, expand_limits const& lim,
                      bool address_blocked = false, text_place place = {});

}  // namespace profile_relay::profile
