#include <array>

#include "envelope/header_json.hpp"
#include "envelope/read_header.hpp"
#include "envelope/wire_text.hpp"

namespace profile_relay::envelope::detail {

namespace {

enum key : std::size_t { event_id, dsn_key, client, origin, sent_at, trace, first_unused };

constexpr std::array keys{
    known_key{"event_id", key_type::text},
    known_key{"dsn", key_type::text},
    known_key{"client", key_type::text},
    known_key{"origin", key_type::text},
    known_key{"sent_at", key_type::text},
    known_key{"trace", key_type::tolerated},
    // Checked and not used: what a forwarding relay repeats of the request, and what project config decides.
    known_key{"version", key_type::u16},
    known_key{"remote_addr", key_type::text},
    known_key{"forwarded_for", key_type::text},
    known_key{"user_agent", key_type::text},
    known_key{"client_hints", key_type::object},
    known_key{"no_cache", key_type::boolean},
    known_key{"retention", key_type::u16},
    known_key{"downsampled_retention", key_type::u16},
};
static_assert(keys[event_id].name == "event_id" && keys[dsn_key].name == "dsn" &&
              keys[client].name == "client" && keys[origin].name == "origin" &&
              keys[sent_at].name == "sent_at" && keys[trace].name == "trace" &&
              keys[first_unused].name == "version");

/// A dynamic sampling context names the trace and the project; everything else in it is optional.
bool is_sampling_context(simdjson::dom::element value) {
  std::string_view trace_id;
  std::string_view public_key;
  std::string ignored;
  return value.is_object() && value["trace_id"].get(trace_id) == simdjson::SUCCESS && parse_uuid(trace_id) &&
         value["public_key"].get(public_key) == simdjson::SUCCESS && parse_public_key(public_key, ignored);
}

}  // namespace

boost::system::result<envelope_header, header_fault> read_envelope_header(simdjson::dom::object object) {
  std::array<known_value, keys.size()> values;
  if (auto problem = collect_known(object, keys, values)) return header_fault{std::move(*problem)};

  envelope_header header;
  if (auto const text = text_of(values[event_id])) {
    header.event_id = parse_uuid(*text);
    if (!header.event_id) return header_fault{"key `event_id` is not a UUID"};
  }
  if (auto const text = text_of(values[dsn_key])) {
    header.dsn_ = parse_dsn(*text);
    if (!header.dsn_) return header_fault{"key `dsn` is not a DSN"};
  }
  if (auto const text = text_of(values[sent_at]); text && !is_rfc3339(*text)) {
    return header_fault{"key `sent_at` is not an RFC 3339 time"};
  }
  header.client = text_of(values[client]);
  header.origin = text_of(values[origin]);
  header.trace_malformed = values[trace] && !is_sampling_context(*values[trace]);
  return header;
}

}  // namespace profile_relay::envelope::detail
