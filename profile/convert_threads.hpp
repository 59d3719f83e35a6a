#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "perfetto_decode/decoded_trace.hpp"
#include "profile/sample_v2.hpp"

namespace profile_relay::profile {

/// Turns the tasks that samples name into threads, in order of first use. Source: perfetto-decoding 14.6.
///
/// A thread's id is its decimal tid, "0" without one. Where machines share a tid, the machine with the lowest
/// number (the host is 0) keeps the plain form and the others get "<machine>:<tid>". Its name is the trace's,
/// else `main` if it is the first thread of its process; without either it has no metadata.
class thread_list {
 public:
  thread_list(perfetto_decode::decoded_trace const& trace, sample_v2::chunk& to);

  /// Index into to.threads. `task` may be `none`: a sample that names nothing.
  std::uint32_t index_of(std::uint32_t task) {
    const auto slot = task < threads_.size() - 1 ? task : threads_.size() - 1;
    return threads_[slot] != perfetto_decode::none ? threads_[slot] : add(slot);
  }

  /// To be called once, after the last `index_of`.
  void write_ids_and_names();

 private:
  using key = std::pair<std::uint32_t, std::int64_t>;  ///< machine, tid
  struct identity {
    std::uint32_t machine = 0;
    std::int64_t tid = 0;
    bool main = false;
  };

  std::uint32_t add(std::size_t slot);

  perfetto_decode::decoded_trace const& trace_;
  sample_v2::chunk& to_;
  std::vector<std::uint32_t> threads_;  ///< by task; the last slot is for samples without one
  std::vector<identity> identities_;    ///< by thread
  boost::unordered_flat_map<key, std::uint32_t> index_;
};

}  // namespace profile_relay::profile
