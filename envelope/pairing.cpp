#include "envelope/pairing.hpp"

#include "envelope/item_types.hpp"

namespace profile_relay::envelope {

pairing pair_items(std::span<const item> items) {
  pairing out;
  out.partner.assign(items.size(), pairing::none);

  std::vector<item_kind> kinds;
  kinds.reserve(items.size());
  std::vector<std::size_t> joinable;
  for (std::size_t i = 0; i < items.size(); ++i) {
    kinds.push_back(classify(items[i].header.type).kind);
    if (kinds[i] == item_kind::chunk && !items[i].header.meta_length) joinable.push_back(i);
  }

  std::vector<std::size_t> free_before;
  std::size_t next_free = 0;  // into joinable: the first chunk neither passed nor joined from before
  std::size_t nearest_before = pairing::none;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (kinds[i] == item_kind::chunk && !items[i].header.meta_length) {
      nearest_before = i;
      if (next_free < joinable.size() && joinable[next_free] == i) {
        free_before.push_back(i);
        ++next_free;
      }
    }
    if (kinds[i] != item_kind::chunk_data) continue;
    if (joinable.empty()) {
      ++out.orphaned;
      continue;
    }
    std::size_t target = nearest_before != pairing::none ? nearest_before : joinable.front();
    if (!free_before.empty()) {
      target = free_before.back();
      free_before.pop_back();
    } else if (next_free < joinable.size()) {
      target = joinable[next_free++];
    } else {
      ++out.replaced;
    }
    out.partner[target] = i;
  }
  return out;
}

}  // namespace profile_relay::envelope
