#pragma once

#include <cstdint>
#include <filesystem>

#include "server/io/spool_reader.hpp"

namespace profile_relay::server {

struct export_counts {
  std::uint64_t written = 0;
  std::uint64_t already_there = 0;  ///< exported by an earlier run, left as they are
  std::uint64_t gone = 0;           ///< delivered while the export ran
  std::vector<std::string>
      unreadable;  ///< one line for each damaged record; the others are exported all the same
};

/// Writes a folder for each record into `out` (made if missing), named `<key>-<chunk_id or topic>`:
///
///   a profile   message.msgpack, payload.json, profile.pftrace (if the raw trace is inline), record.json
///   an outcome  outcome.json, record.json
///
/// A folder appears only when it is complete. Changes nothing in the spool, overwrites nothing in `out`: a
/// folder of the same name that holds another record, or none, is an error that names it.
start_result<export_counts> export_spool(spool_reader const& spool, std::filesystem::path const& out);

}  // namespace profile_relay::server
