#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "perfetto_decode/decoded_trace.hpp"
#include "perfetto_decode/hash.hpp"
#include "profile/sample_v2.hpp"

namespace profile_relay::profile {

/// Makes the debug images of a converted trace: one for each (code_file, image_addr), appended to those that
/// the client sent. Source: perfetto-decoding 14.4.
class image_list {
 public:
  image_list(perfetto_decode::decoded_trace const& trace, sample_v2::chunk& to);

  /// A native frame of this mapping is written. Cheap after the first time.
  void use(std::uint32_t mapping);

  /// To be called once, after the last `use`: lets each image reach to the greatest end of its mappings.
  void set_sizes();

  std::uint64_t without_range() const { return without_range_; }
  std::uint64_t without_build_id() const { return without_build_id_; }

 private:
  using identity = std::pair<std::string_view, std::uint64_t>;
  struct identity_hash {
    perfetto_decode::hash_seed seed;
    std::size_t operator()(identity const& i) const {
      return perfetto_decode::hash_words(seed, perfetto_decode::hash_text(i.first, seed), i.second);
    }
  };

  perfetto_decode::decoded_trace const& trace_;
  sample_v2::chunk& to_;
  std::vector<bool> seen_;
  boost::unordered_flat_map<identity, std::size_t, identity_hash> index_;  ///< into to_.images
  std::uint64_t without_range_ = 0, without_build_id_ = 0;
};

/// Where the image of a mapping with a range starts: at its base, or, if that is 0 (an executable at fixed
/// addresses) or above the mapping, at the address of file offset 0.
std::uint64_t image_address(perfetto_decode::mapping const& m);

}  // namespace profile_relay::profile
