#pragma once

#include <cstdint>
#include <filesystem>

namespace profile_relay::server {

/// What a write-ahead log holds. SQLite reads it up to the first frame whose checksum is wrong and takes that for the
/// end, without a word; after a crash that is right (the tail was never synced), after damage it loses every commit
/// behind the frame:
///
///   header │ frame │ frame │ DAMAGE │ frame │ frame │ old frames of an earlier round (other salts)
///                          ▲                ▲
///              SQLite ends here      still of this round: `cut_off` counts these
struct wal_survey {
  std::uint64_t frames = 0;   ///< that SQLite reads
  std::uint64_t cut_off = 0;  ///< intact ones of the same round behind them
};
/// Zeros for a file that is missing, empty or cannot be read.
wal_survey survey_wal(std::filesystem::path const& wal);

/// Copies the intact frames of the round into `to`, as a log that SQLite reads to its end. Pages may then be of
/// different ages, so what is read through it has to be checked by other means. False if a file fails.
bool reseal_wal(std::filesystem::path const& wal, std::filesystem::path const& to);

}  // namespace profile_relay::server
