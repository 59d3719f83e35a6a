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
///            chunk_id, received_ms, stored_ms, raw_offset, size, state (record_state), told (1: an outcome was
///            sent for it), why (of a dead one), sum (of the row)
///   bodies   key, sum (of the value), value: the finished Kafka message, byte for byte what the topic gets
///
/// PRAGMA application_id marks the file as ours, user_version is the format's number. Formats 1 (without sums and
/// states) and 2 (pages of 8 KiB) were never released.
inline constexpr std::int64_t spool_format_version = 3;
inline constexpr std::int64_t spool_application_id = 0x50525350;  // "PRSP"
inline constexpr std::size_t spool_page_size = 32768;

enum class record_state : std::uint8_t {
  waiting,
  in_flight,  ///< taken by the server that holds the lock; without such a server it means waiting
  dead,       ///< kept, listed, never sent again by itself
};

std::filesystem::path spool_file(std::filesystem::path const& dir);
/// SQLite's write-ahead log beside a database.
std::filesystem::path wal_of(std::filesystem::path database);

enum class spool_access : std::uint8_t {
  server,     ///< the one that holds the lock
  command,    ///< writes beside a running server: waits for it, leaves checkpoints to it
  read_only,  ///< reads beside a running server; leaves the write-ahead log alone, too
};
/// Opens `spool_file(dir)`, which must be there. Refuses in one sentence with the path: no spool, a damaged file,
/// another program's database, an unknown format, a file that cannot be opened.
start_result<sqlite_ptr> open_spool_file(std::filesystem::path const& dir, spool_access access);
/// The same, which tells damage (`damaged` = SQLite's words) from all that is refused.
start_result<sqlite_ptr> open_spool_file(std::filesystem::path const& dir, spool_access access,
                                         std::string& damaged);
/// The tables of an empty spool, in an empty database. SQLITE_OK or the error.
int make_spool_tables(sqlite3* db);
/// SQLITE_CORRUPT or SQLITE_NOTADB, with any extension.
bool is_damage(int rc);
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
