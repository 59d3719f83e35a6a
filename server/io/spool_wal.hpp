#pragma once

#include <cstdint>
#include <filesystem>

namespace profile_relay::server {

/// What a write-ahead log holds. SQLite reads it up to the first frame whose checksum is wrong and takes that for the
/// end, without a word. After a power cut that is right: the frames of the last transaction reach the disk in any
/// order, and it was not answered. But a transaction is only written when the one before it is synced, so a broken
/// frame with a commit and another transaction behind it is damage, and all those commits would be lost:
///
///   header │ frame │ frame │ BROKEN │ frame │ commit │ frame │ old frames of an earlier round (other salts)
///                          ▲                         ▲
///              SQLite ends here        still of this round: damage
///
/// Damage in the last transaction looks like the power cut, and is taken for it.
struct wal_survey {
  std::uint64_t frames = 0;   ///< that SQLite reads
  std::uint64_t cut_off = 0;  ///< intact ones of the same round behind them
  bool damaged = false;
};
/// Zeros for a file that is missing, empty or cannot be read.
wal_survey survey_wal(std::filesystem::path const& wal);

/// Copies the intact frames of the round into `to`, as a log that SQLite reads to its end. Pages may then be of
/// different ages, so what is read through it has to be checked by other means. False if a file fails.
bool reseal_wal(std::filesystem::path const& wal, std::filesystem::path const& to);

}  // namespace profile_relay::server
