#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "profile/kafka_record.hpp"
#include "server/io/delivery_error.hpp"
#include "server/io/sqlite_handle.hpp"

namespace profile_relay::server {

/// How records lie in the spool's SQLite file. Two tables, so that listing, counting and marking never touch
/// a trace:
///
///   records  key (ascending, never used twice), topic ("profiles", "outcomes"), kafka_key, headers,
///   chunk_id,
///            received_ms, stored_ms, raw_offset, size, dead (0 or 1), why
///   bodies   key, value: the finished Kafka message, byte for byte what the topic gets
///
/// PRAGMA application_id marks the file as ours, user_version is the format's number.
inline constexpr std::int64_t spool_format_version = 1;
inline constexpr std::int64_t spool_application_id = 0x50525350;  // "PRSP"

std::filesystem::path spool_file(std::filesystem::path const& dir);

enum class spool_access : std::uint8_t { read_write, read_only };
/// Opens `spool_file(dir)`; read_write creates it. Refuses in one sentence with the path: a damaged file,
/// another program's database, a newer format, a file that cannot be opened.
start_result<sqlite_ptr> open_spool_file(std::filesystem::path const& dir, spool_access access);
/// The sentence for an error that a later statement met.
start_error spool_error(std::filesystem::path const& dir, sqlite3* db);

std::string_view to_text(profile::logical_topic t);
std::optional<profile::logical_topic> topic_from_text(std::string_view s);

/// Headers as one blob: for each text its length in four bytes, least significant first, then the text.
std::string encode_headers(profile::kafka_record const& r);
/// False if `blob` is not what encode_headers wrote.
bool decode_headers(std::string_view blob, profile::kafka_record& r);

/// What a record counts against spool.max_disk_size: its bytes, and a share of the pages that it half fills.
std::uint64_t spool_size(profile::kafka_record const& r);

}  // namespace profile_relay::server
