#include "kinds.hpp"

#include <vector>

namespace attack {

std::span<const kind> all_kinds() {
  static std::vector<kind> const all = [] {
    std::vector<kind> v;
    for (auto const part : {kinds_of_tables(), kinds_of_clocks(), kinds_of_names(), kinds_of_packets(),
                            kinds_of_collisions(), kinds_of_products()})
      v.insert(v.end(), part.begin(), part.end());
    return v;
  }();
  return all;
}

kind const* find_kind(std::string_view name) {
  for (auto const& k : all_kinds())
    if (k.name == name) return &k;
  return nullptr;
}

}  // namespace attack
