#include "envelope/raw_chunk.hpp"

#include <algorithm>
#include <array>

#include "envelope/header_json.hpp"
#include "envelope/item_types.hpp"
#include "envelope/pairing.hpp"
#include "envelope/wire_text.hpp"

namespace profile_relay::envelope {

namespace {

bool is_perfetto_mime(item_header const& header) {
  return header.content_type && iequals(*header.content_type, perfetto_mime);
}

/// Content types that Relay knows by name, other than the Perfetto one and application/octet-stream: an item
/// that says one of these is not taken for Perfetto because of its metadata (S3).
bool names_another_format(item_header const& header) {
  constexpr std::array<std::string_view, 13> known{
      "text/plain",
      "application/json",
      "application/x-ndjson",
      "application/x-msgpack",
      "application/x-dmp",
      "text/xml",
      "application/xml",
      "application/x-sentry-envelope",
      "application/x-protobuf",
      "application/vnd.sentry.items.log+json",
      "application/vnd.sentry.items.span.v2+json",
      "application/vnd.sentry.items.trace-metric+json",
      "application/vnd.sentry.trace-attachment",
  };
  return header.content_type && std::ranges::any_of(known, [&](std::string_view name) {
           return iequals(name, *header.content_type);
         });
}

/// Decides the shape of single chunks and pairs. One parser serves all metadata probes of an envelope.
class shape_table {
 public:
  raw_chunk single(item const& chunk) {
    raw_chunk out = from(chunk);
    auto const& header = chunk.header;
    std::size_t const split = header.meta_length.value_or(0);
    bool const in_range = split > 0 && split < chunk.payload.size();

    if (is_perfetto_mime(header)) {  // S1, S2
      return in_range ? divided(std::move(out), split) : refused(std::move(out));
    }
    if (!header.meta_length) return out;  // S5
    if (in_range && !names_another_format(header) &&
        metadata_says_perfetto(chunk.payload.subview(0, split))) {
      out.known_from_metadata = true;  // S3
      return divided(std::move(out), split);
    }
    return refused(std::move(out));  // S4
  }

  raw_chunk pair(item const& chunk, item const& data) {
    raw_chunk out = from(chunk);
    if (!out.platform) out.platform = data.header.platform;
    out.trace = data.payload;
    bool const by_header = is_perfetto_mime(chunk.header) || is_perfetto_mime(data.header);
    if (!by_header && !metadata_says_perfetto(chunk.payload)) {
      out.shape = chunk_shape::unknown_pair;
      return out;
    }
    out.known_from_metadata = !by_header;
    bool const both_parts = !out.metadata.empty() && !out.trace.empty();
    out.shape = both_parts ? chunk_shape::perfetto : chunk_shape::invalid_split;
    return out;
  }

 private:
  static raw_chunk from(item const& chunk) {
    raw_chunk out;
    out.item_index = chunk.index;
    out.platform = chunk.header.platform;
    out.metadata = chunk.payload;
    return out;
  }

  static raw_chunk divided(raw_chunk out, std::size_t split) {
    auto const payload = out.metadata;
    out.shape = chunk_shape::perfetto;
    out.metadata = payload.subview(0, split);
    out.trace = payload.subview(split, payload.size() - split);
    return out;
  }

  static raw_chunk refused(raw_chunk out) {
    out.shape = chunk_shape::invalid_split;
    return out;
  }

  bool metadata_says_perfetto(padded_view metadata) {
    if (metadata.size() > max_metadata_bytes) return false;
    auto const object = parser_.parse_object(metadata);
    std::string_view value;
    if (!object || object->at_key("content_type").get(value) != simdjson::SUCCESS) return false;
    return iequals(value, "perfetto") || iequals(value, perfetto_mime);
  }

  detail::json_parser parser_;
};

}  // namespace

chunk_set take_chunks(parsed_envelope const& env, bool pairing_on) {
  chunk_set out;
  pairing pairs;
  if (pairing_on) pairs = pair_items(env.items);
  out.counts.data_replaced = pairs.replaced;
  out.counts.data_orphaned = pairs.orphaned;

  shape_table shapes;
  for (std::size_t i = 0; i < env.items.size(); ++i) {
    auto const& it = env.items[i];
    auto const [kind, name] = classify(it.header.type);
    if (kind == item_kind::chunk) {
      auto const partner = pairing_on ? pairs.partner[i] : pairing::none;
      out.chunks.push_back(partner == pairing::none ? shapes.single(it)
                                                    : shapes.pair(it, env.items[partner]));
    } else if (kind == item_kind::not_served) {
      ++out.counts.not_served[name];
    } else if (kind != item_kind::chunk_data || !pairing_on) {
      ++out.counts.unknown;
    }
  }
  return out;
}

data_category category_of_platform(std::string_view platform) {
  bool const has_ui = platform == "cocoa" || platform == "android" || platform == "javascript";
  return has_ui ? data_category::profile_chunk_ui : data_category::profile_chunk;
}

std::string_view category_name(data_category c) {
  return c == data_category::profile_chunk_ui ? "profile_chunk_ui" : "profile_chunk";
}

}  // namespace profile_relay::envelope
