#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "profile/kafka_record.hpp"
#include "server/io/spool_format.hpp"
#include "server/io/sqlite_handle.hpp"

namespace profile_relay::server {

/// What the spool knows of a record beside the record itself.
struct row_facts {
  record_state state = record_state::waiting;
  bool told = false;           ///< an outcome was sent for it
  std::string why;             ///< of a dead record
  std::int64_t stored_ms = 0;  ///< Unix milliseconds
  std::uint64_t size = 0;      ///< spool_size of the record
};

enum class row_result : std::uint8_t {
  found,
  gone,     ///< no such key
  damaged,  ///< it is there, but not what was stored: a sum is wrong, a part missing
  failed,   ///< SQLite or the disk refuses now
};

/// The sum that stands beside a body.
std::int64_t sum_of_body(std::string_view value);

/// Records as rows of a spool's database: the one place that knows the columns. A record that comes back is the one
/// that was stored, both sums say so. Not thread-safe; each connection has its own.
class spool_rows {
 public:
  spool_rows() = default;
  /// False when a statement cannot be prepared; sqlite3_errmsg(db) says why.
  bool prepare(sqlite3* db);

  /// `key` absent = the next free one. SQLITE_OK and the key, or the error. Does not commit.
  int insert(std::optional<std::int64_t> key, profile::kafka_record const& r, row_facts const& facts,
             std::int64_t& key_out);
  row_result read(std::int64_t key, profile::kafka_record& r, row_facts& facts);
  /// The two halves of it, for a database where one may be lost: all but the value, and the value.
  row_result read_row(std::int64_t key, profile::kafka_record& r, row_facts& facts);
  row_result read_body(std::int64_t key, std::string& value);

 private:
  sqlite3* db_ = nullptr;
  sqlite_statement put_record_, put_body_, get_record_, get_sum_;
};

}  // namespace profile_relay::server
