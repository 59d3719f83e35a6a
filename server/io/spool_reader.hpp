#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "profile/kafka_record.hpp"
#include "server/io/delivery_error.hpp"
#include "server/io/spool_rows.hpp"

namespace profile_relay::server {

/// What `spool ls` shows of one record.
struct spool_row {
  std::int64_t key = 0;
  std::int64_t received_ms = 0;  ///< Unix milliseconds
  std::string topic, chunk_id;
  std::uint64_t size = 0;                      ///< bytes of the message
  record_state state = record_state::waiting;  ///< in_flight only while a server runs
  std::string why;                             ///< of a dead record
  bool dead() const { return state == record_state::dead; }
};

/// Read-only access to a spool, with or without a running server on it. Each call is one short transaction,
/// so that a long export keeps nobody waiting; records that the server removes meanwhile are simply gone.
class spool_reader {
 public:
  static start_result<spool_reader> open(std::filesystem::path const& dir);

  /// Oldest first.
  start_result<std::vector<spool_row>> list() const;
  /// The whole record; absent if it is gone by now.
  start_result<std::optional<profile::kafka_record>> read(std::int64_t key) const;

 private:
  spool_reader(std::filesystem::path dir, sqlite_ptr db) : dir_(std::move(dir)), db_(std::move(db)) {}
  std::filesystem::path dir_;
  sqlite_ptr db_;
};

std::string_view to_text(record_state s);
/// The table of `spool ls`, for people; `now_ms` gives the ages.
std::string spool_table(std::vector<spool_row> const& rows, std::int64_t now_ms);
/// One JSON object a line: id, received_ms, topic, chunk_id, size, state ("waiting", "in flight", "dead"), why.
std::string spool_json(std::vector<spool_row> const& rows);

}  // namespace profile_relay::server
