// The threads of this process.
#pragma once

#include <dirent.h>

#include <cstdint>
#include <memory>
#include <vector>

namespace profile_relay::sdk {

/// Reads /proc/self/task. The folder stays open between two readings, and is read anew only when the number of threads has
/// changed, which its link count tells for a tenth of the price, or when the caller met a thread that is gone.
class thread_list {
 public:
  thread_list();
  /// False when there is no /proc.
  [[nodiscard]] bool usable() const { return folder_ != nullptr; }
  /// The threads of this moment, without `except`. The list lives until the next call.
  std::vector<std::int32_t> const& read(std::int32_t except);
  /// One of them has ended; another may have come in its place.
  void one_is_gone() { links_ = 0; }
  [[nodiscard]] std::vector<std::int32_t> const& last() const { return tids_; }

 private:
  struct close_folder {
    void operator()(DIR* d) const { ::closedir(d); }
  };
  std::unique_ptr<DIR, close_folder> folder_;
  std::uint64_t links_ = 0;
  std::vector<std::int32_t> tids_;
};

}  // namespace profile_relay::sdk
