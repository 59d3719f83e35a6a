#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "server/io/delivery_error.hpp"

namespace profile_relay::server {

struct salvage_counts {
  std::uint64_t salvaged = 0;
  /// Records that are known of and could not be read. Records of which no trace is left are not in it.
  std::uint64_t lost = 0;
};

/// Makes the database `to` (which must not exist) with every record that can be read out of the damaged `from`, under
/// its own key; without `from`, an empty one. What goes in is proven by its sums; a body whose row is lost gets a new
/// row made from the message itself. Neither `from` nor its log is changed. `to` is complete and synced when this
/// returns, but not its name. New records get keys above `last_key` and above all that the damaged file tells of.
///
/// Needs room for the records once, and for a copy of `from` beside `to` when its first page or its log is
/// damaged. Refuses when it cannot write.
start_result<salvage_counts> salvage_spool(std::optional<std::filesystem::path> const& from,
                                           std::filesystem::path const& to, std::int64_t last_key);

}  // namespace profile_relay::server
