#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace profile_relay::profile {

enum class logical_topic : std::uint8_t { profiles, outcomes };

/// What Kafka gets and what the spool stores: encoded once. Source: contract 13 "spool record".
struct kafka_record {
  logical_topic topic = logical_topic::profiles;
  std::optional<std::string> key;                            ///< absent = random partition
  std::vector<std::pair<std::string, std::string>> headers;  ///< at most a few short ones
  std::string value;
  std::string chunk_id;          ///< 32 hex; "" for an outcome of a chunk without a readable id
  std::int64_t received_ms = 0;  ///< Unix milliseconds of the request's arrival
  /// Offset in `value` of the first byte of the `raw_profile` key, 0 = there is none. Everything from there
  /// on belongs to the two raw keys, so the message without the raw trace is a prefix with another map
  /// length.
  std::size_t raw_offset = 0;

  /// key + value + headers, as librdkafka counts them, plus its largest record overhead.
  std::size_t wire_size() const;
  std::size_t memory() const;
};

struct attachment {
  std::string name, content_type, stored_id;
};

/// The fields of the chunk message, in output order (kafka-and-consumers 2).
struct profile_message {
  std::uint64_t organization_id = 0;
  std::uint64_t project_id = 0;
  std::optional<std::uint64_t> key_id;
  std::uint64_t received = 0;  ///< Unix seconds
  std::uint16_t retention_days = 90;
  std::string_view payload;
  std::vector<attachment> attachments;     ///< object-store mode; left out when empty
  std::span<const std::byte> raw_profile;  ///< inline mode; left out when empty
  std::string_view raw_profile_content_type;
};

/// MessagePack, byte for byte as kafka-and-consumers 2.1. `raw_offset` receives kafka_record::raw_offset.
std::string encode(profile_message const& m, std::size_t* raw_offset = nullptr);

/// The message up to its payload, whose length it leaves open. `m.payload` is not looked at. Whoever appends the payload
/// to it and calls `finish_profile_record` saves the copy that `encode` makes.
std::string encode_head(profile_message const& m);

/// Bytes that the message has behind its payload.
std::size_t tail_size(profile_message const& m);

/// The record for topic `profiles`: null key, header project_id. `m.payload` is copied.
kafka_record make_profile_record(profile_message const& m, std::string_view chunk_id,
                                 std::int64_t received_ms);

/// The same record from `text`, which is `encode_head(m)` and the payload behind it. `m.payload` is not looked at. What
/// `m` leaves out or has behind the payload may have changed since the head was made, the rest may not.
kafka_record finish_profile_record(profile_message const& m, std::string text, std::string_view chunk_id,
                                   std::int64_t received_ms);

/// The same message without its raw trace (too large for the broker). False if it has none.
bool strip_raw_profile(kafka_record& r);

/// Reads back what `encode` wrote, for `spool export`. Absent if it is not such a message.
struct decoded_message {
  std::uint64_t organization_id = 0, project_id = 0, received = 0;
  std::string_view payload, raw_profile, raw_profile_content_type;
};
std::optional<decoded_message> decode_profile_message(std::string_view value);

}  // namespace profile_relay::profile
