#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "envelope/raw_chunk.hpp"
#include "profile/kafka_record.hpp"

namespace profile_relay::profile {

/// Outcome ids of contract 11 that we send.
enum class outcome_id : std::uint8_t { filtered = 1, rate_limited = 2, invalid = 3 };

/// One outcome message (kafka-and-consumers 3).
struct outcome {
  std::int64_t timestamp_us = 0;  ///< Unix microseconds of receipt
  std::uint64_t org_id = 0;       ///< 0 = left out
  std::uint64_t project_id = 0;
  std::optional<std::uint64_t> key_id;
  outcome_id id = outcome_id::invalid;
  std::string_view reason;       ///< "" = left out
  std::string_view event_id;     ///< 32 hex; "" = left out
  std::string_view remote_addr;  ///< "" = left out
  std::string_view source;       ///< "" = left out
  envelope::data_category category = envelope::data_category::profile_chunk;
};

std::string encode(outcome const& o);

/// The record for topic `outcomes`. `key16` spreads partitions: the 16 bytes of the event id, or random ones.
kafka_record make_outcome_record(outcome const& o, std::string_view key16, std::string_view chunk_id);

}  // namespace profile_relay::profile
