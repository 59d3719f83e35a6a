#include "config/document.hpp"

namespace profile_relay::config {

node const* node::find(std::string_view key) const {
  for (std::size_t i = keys.size(); i > 0; --i)
    if (keys[i - 1] == key) return &items[i - 1];
  return nullptr;
}

node node::of_text(std::string_view text) {
  node n;
  n.type = kind::text;
  n.scalar = text;
  return n;
}

std::string_view name_of(node::kind k) {
  switch (k) {
    case node::kind::null:
      return "nothing";
    case node::kind::boolean:
      return "a boolean";
    case node::kind::number:
      return "a number";
    case node::kind::text:
      return "a single value";
    case node::kind::list:
      return "a list";
    case node::kind::map:
      return "a map of keys";
  }
  return "a value";
}

}  // namespace profile_relay::config
