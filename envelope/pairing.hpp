#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "envelope/envelope.hpp"

namespace profile_relay::envelope {

/// Which `profile_chunk_data` item belongs to which chunk.
struct pairing {
  static constexpr std::size_t none = std::numeric_limits<std::size_t>::max();

  std::vector<std::size_t> partner;  ///< for each item: the data item that joins it, or `none`
  std::uint64_t replaced = 0;        ///< data items whose place a later one took
  std::uint64_t orphaned = 0;        ///< data items without any chunk to join
};

/// The order rules of ingestion contract 3.3. A chunk with `meta_length` (whatever its value) never
/// pairs. A data item joins the nearest free chunk before it, else the next free one after it; when no
/// chunk is free it replaces the data of the nearest chunk before it, else of the first after it.
/// Complexity: linear in the number of items.
///
///     chunk A, chunk B, data 1, data 2, data 3      B gets 1, A gets 2, then 3 replaces 1 at B
///     data 1, chunk A, chunk B, data 2              A gets 1, B gets 2
pairing pair_items(std::span<const item> items);

}  // namespace profile_relay::envelope
