#include <array>

#include "envelope/header_json.hpp"
#include "envelope/read_header.hpp"

namespace profile_relay::envelope::detail {

namespace {

enum key : std::size_t { type, length, content_type, meta_length, platform, first_unused };

constexpr std::array keys{
    known_key{"type", key_type::text},
    known_key{"length", key_type::u32},
    known_key{"content_type", key_type::text},
    known_key{"meta_length", key_type::u32},
    known_key{"platform", key_type::text},
    // Checked and not used: meaningless for profile chunks, or marks that relays set for each other.
    known_key{"filename", key_type::text},
    known_key{"attachment_type", key_type::text},
    known_key{"item_count", key_type::u32},
    known_key{"routing_hint", key_type::text},
    known_key{"rate_limited", key_type::boolean},
    known_key{"metrics_extracted", key_type::boolean},
    known_key{"spans_extracted", key_type::boolean},
    known_key{"fully_normalized", key_type::boolean},
    known_key{"sampled", key_type::boolean},
};
static_assert(keys[type].name == "type" && keys[length].name == "length" &&
              keys[content_type].name == "content_type" && keys[meta_length].name == "meta_length" &&
              keys[platform].name == "platform" && keys[first_unused].name == "filename");

}  // namespace

boost::system::result<item_header, header_fault> read_item_header(simdjson::dom::object object) {
  std::array<known_value, keys.size()> values;
  if (auto problem = collect_known(object, keys, values)) return header_fault{std::move(*problem)};

  auto type_text = text_of(values[type]);
  if (!type_text) return header_fault{"key `type` is missing"};
  item_header header;
  header.type = std::move(*type_text);
  header.length = u32_of(values[length]);
  header.content_type = text_of(values[content_type]);
  header.meta_length = u32_of(values[meta_length]);
  header.platform = text_of(values[platform]);
  return header;
}

}  // namespace profile_relay::envelope::detail
