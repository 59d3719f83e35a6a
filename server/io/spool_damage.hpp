#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "server/io/delivery_error.hpp"
#include "server/io/spool_salvage.hpp"

namespace profile_relay::server {

/// A database that was found damaged, and what became of it.
struct spool_damage {
  std::string what;             ///< in SQLite's words or ours
  std::filesystem::path aside;  ///< its new name; empty = there was nothing to set aside
  salvage_counts counts;
};
/// One sentence for the log.
std::string to_text(spool_damage const& d, std::filesystem::path const& dir);

/// Before a server opens its spool, with the lock held: looks the database over, sets a damaged one aside and puts a
/// new one with the readable records in its place, makes a missing one. Finishes what an earlier start began and did
/// not end. The look is quick for a spool of any size: the whole structure up to 256 MiB, beyond that the table of
/// records; bodies are proven by their sums when they are read. `unclean` = spool_lock::found_unclean().
/// Keys up to `last_key` are not used again. Refuses what is not damage: a newer format, another program's database,
/// a disk that fails.
start_result<std::optional<spool_damage>> prepare_spool(std::filesystem::path const& dir, bool unclean,
                                                        std::int64_t last_key = 0);

/// The second half of it, for a server that met damage while it ran; no connection of its own may be open.
///
///   spool.sqlite, -wal ──► spool.sqlite.damaged-<time>, -wal     never deleted by us
///                                │ readable records
///                                ▼
///                          spool.sqlite.new ──► spool.sqlite
///
/// The file `damaged` holds the new name while this is under way.
start_result<spool_damage> replace_damaged(std::filesystem::path const& dir, std::string const& what,
                                           std::int64_t last_key);

/// How many damaged databases lie in the folder.
std::uint64_t count_set_aside(std::filesystem::path const& dir);

}  // namespace profile_relay::server
