#include "config/option_table.hpp"

#include <algorithm>
#include <limits>
#include <vector>

#include "config/codecs.hpp"
#include "config/edit_distance.hpp"
#include "config/kafka_codecs.hpp"
#include "config/row_builder.hpp"

namespace profile_relay::config {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

#define FIELD(path) \
  [](auto& s) -> auto& { return s.path; }

constexpr std::uint64_t u32_max = std::numeric_limits<std::uint32_t>::max();
/// Consumers read stack and frame indices as i32, so no count can usefully be larger.
constexpr std::uint64_t index_max = std::numeric_limits<std::int32_t>::max();
constexpr std::uint64_t day = 86'400;

/// `relay.mode` sets nothing: it only says whether an existing Relay configuration expects an upstream.
option mode_row() {
  option row;
  row.key = "relay.mode";
  row.kind = "choice";
  row.allowed = "static";
  row.description = "Projects always come from files, which is Relay's mode 'static'.";
  row.example = "static";
  row.set = [](settings&, node const& in) -> verdict {
    if (auto refused = require_scalar(in)) return refused;
    if (in.scalar == "static") return {};
    if (in.scalar == "managed" || in.scalar == "proxy")
      return refusal{errc::not_allowed, "'" + in.scalar +
                                            "' is not served: nothing is fetched from or forwarded to an "
                                            "upstream, projects come from files; allowed: static"};
    return refusal{errc::not_allowed, "'" + in.scalar + "' is not one of: static"};
  };
  row.print = [](settings const&) { return std::string("static"); };
  return row;
}

option raw_profile_row() {
  auto row = make_row("processing.raw_profile", FIELD(processing.raw_profile),
                      choice_codec<raw_profile_mode>{
                          {{"inline", raw_profile_mode::inline_}, {"drop", raw_profile_mode::drop}}},
                      {.description = "Whether the raw trace travels in the Kafka message or is left out.",
                       .example = "drop"});
  row.set = [others = row.set](settings& s, node const& in) -> verdict {
    if (in.is(node::kind::text) && in.scalar == "objectstore")
      return refusal{errc::not_allowed, "'objectstore' is not built yet; allowed: inline, drop"};
    return others(s, in);
  };
  return row;
}

std::vector<option> relay_rows() {
  return {
      mode_row(),
      make_row("relay.host", FIELD(relay.host), address_codec{},
               {.description = "Address to listen on.", .example = "0.0.0.0"}),
      make_row("relay.port", FIELD(relay.port), integer_codec<std::uint16_t>{{0, 65535}},
               {.description = "Port to listen on; 0 takes any free one.", .example = "3001"}),
      make_row("relay.internal_host", FIELD(relay.internal_host), address_codec{},
               {.description = "Address for health checks and metrics.",
                .example = "127.0.0.1",
                .when_unset = "relay.host if internal_port is set, else no internal listener"}),
      make_row("relay.internal_port", FIELD(relay.internal_port), integer_codec<std::uint16_t>{{0, 65535}},
               {.description = "Port for health checks and metrics.",
                .example = "3010",
                .when_unset = "relay.port if internal_host is set, else no internal listener"}),
  };
}

std::vector<option> processing_rows() {
  return {
      make_row(
          "processing.enabled", FIELD(processing.enabled), boolean_codec{},
          {.description = "False accepts and counts profiles without storing them; refused unless started "
                          "with --dry-run.",
           .example = "true"}),
      make_row("processing.kafka_config", FIELD(processing.kafka_config), kafka_properties_codec{},
               {.description = "librdkafka properties of the producer. Without bootstrap.servers everything "
                               "stays in the spool until there is a broker.",
                .example = "[{name: bootstrap.servers, value: \"127.0.0.1:9092\"}]",
                .secret = true}),
      make_row("processing.secondary_kafka_configs", FIELD(processing.secondary_kafka_configs),
               kafka_clusters_codec{},
               {.description = "Further producer configurations by name, for topics on other clusters.",
                .example = "{billing: [{name: bootstrap.servers, value: \"10.0.0.9:9092\"}]}",
                .secret = true}),
      make_row(
          "processing.topics.profiles", FIELD(processing.profiles), topic_codec{},
          {.description = "Topic of the profile chunks.", .example = "{name: profiles, config: billing}"}),
      make_row("processing.topics.outcomes", FIELD(processing.outcomes), topic_codec{},
               {.description = "Topic of the outcomes.", .example = "outcomes-eu"}),
      make_row("processing.kafka_validate_topics", FIELD(processing.kafka_validate_topics), boolean_codec{},
               {.description = "Ask the broker for the topics at start and refuse to run without them.",
                .example = "true"}),
      make_row("processing.max_rate_limit", FIELD(processing.max_rate_limit),
               integer_codec<std::uint32_t>{{1, u32_max}},
               {.description = "Longest retry time told to clients by a rate limit, in seconds.",
                .example = "600"}),
      raw_profile_row(),
      make_row(
          "processing.profiles_key_id", FIELD(processing.profiles_key_id),
          choice_codec<key_id_mode>{{{"auto", key_id_mode::auto_}, {"never", key_id_mode::never}}},
          {.description = "Write key_id into the message when the project file has it, or never (Relay's "
                          "exact form).",
           .example = "never"}),
      make_row(
          "processing.ack", FIELD(processing.ack),
          choice_codec<ack_mode>{{{"broker", ack_mode::broker}, {"spool", ack_mode::spool}}},
          {.description = "What a 200 waits for: the broker's acknowledgement (the spool takes over when "
                          "it fails), or the spool alone.",
           .example = "spool"}),
      make_row("processing.kafka_producers", FIELD(processing.kafka_producers),
               integer_codec<std::uint32_t>{{1, 64}},
               {.description = "Producers, each with its own connection to every broker, that share the "
                               "records of a topic. A broker works on one request of a connection at a time, "
                               "so one producer is soon its bottleneck.",
                .example = "1"}),
      make_row("cache.file_interval", FIELD(cache.file_interval), duration_codec<seconds>{{1, day}},
               {.description = "How often config.yml and the folder of project files are read again.",
                .example = "2"}),
      make_row("spool.envelopes.path", FIELD(spool.path), path_codec{},
               {.description = "Folder of the durable spool between processing and Kafka.",
                .example = "/var/lib/profile-relay/spool",
                .when_unset = "'spool' inside the configuration folder"}),
      make_row("spool.envelopes.max_disk_size", FIELD(spool.max_disk_size), size_codec{{1u << 20}},
               {.description = "Disk space of the spool; when it is full new profiles are refused with 503, "
                               "nothing stored is deleted.",
                .example = "10GB"}),
      make_row("outcomes.emit_outcomes", FIELD(outcomes.emit_outcomes),
               choice_codec<bool>{{{"true", true}, {"false", false}, {"as_client_reports", true}}, true},
               {.description = "Send outcomes of rejected profiles to Kafka, or only count them. Relay's "
                               "'as_client_reports' means true here.",
                .example = "false"}),
      make_row("outcomes.emit_feature_disabled", FIELD(outcomes.emit_feature_disabled), boolean_codec{},
               {.description = "Send an outcome for profiles dropped because their feature flag is off.",
                .example = "true"}),
      make_row("outcomes.source", FIELD(outcomes.source), text_codec{},
               {.description = "Name of this instance in its outcomes; empty leaves the field out.",
                .example = "edge-1"}),
  };
}

std::vector<option> service_rows() {
  return {
      make_row("health.refresh_interval_ms", FIELD(health.refresh_interval),
               duration_codec<milliseconds>{{100, day * 1000}},
               {.description = "How often the readiness checks run.", .example = "1000", .live = true}),
      make_row("health.probe_timeout_ms", FIELD(health.probe_timeout),
               duration_codec<milliseconds>{{1, day * 1000}},
               {.description = "A check slower than this counts as failed, and so does a server that lets "
                               "`healthcheck` wait longer.",
                .example = "500",
                .live = true}),
      make_row("health.max_memory_percent", FIELD(health.max_memory_percent), fraction_codec{},
               {.description = "Part of the container's memory limit above which the server is not ready.",
                .example = "0.9",
                .live = true}),
      make_row("health.max_memory_bytes", FIELD(health.max_memory_bytes), size_codec{{1}},
               {.description = "Memory above which the server is not ready.",
                .example = "2GiB",
                .when_unset = "only max_memory_percent counts",
                .live = true}),
      make_row("health.kafka_max_ack_age", FIELD(health.kafka_max_ack_age), duration_codec<seconds>{{1, day}},
               {.description = "With messages queued, how long ago the broker's last acknowledgement may be.",
                .example = "60",
                .live = true}),
      make_row("logging.level", FIELD(logging.level),
               choice_codec<std::string>{{{"trace", "trace"},
                                          {"debug", "debug"},
                                          {"info", "info"},
                                          {"warn", "warn"},
                                          {"error", "error"},
                                          {"off", "off"}},
                                         true},
               {.description = "Least severe messages that are written.", .example = "debug"}),
      make_row("logging.format", FIELD(logging.format),
               choice_codec<log_format>{{{"text", log_format::text},
                                         {"json", log_format::json},
                                         {"auto", log_format::text},
                                         {"pretty", log_format::text},
                                         {"simplified", log_format::text}},
                                        true},
               {.description = "Form of the log. Relay's names auto, pretty and simplified mean text.",
                .example = "json"}),
      make_row("http.trusted_proxies", FIELD(http.trusted_proxies), ip_ranges_codec{},
               {.description = "Peers whose X-Forwarded-For header is believed.",
                .example = "[10.0.0.0/8, \"fd00::/8\"]"}),
  };
}

std::vector<option> limits_rows() {
  return {
      make_row("limits.max_envelope_size", FIELD(limits.max_envelope_size), size_codec{{1, u32_max}},
               {.description = "Largest request body after decompression; larger ones get 413.",
                .example = "100MiB"}),
      make_row("limits.max_profile_size", FIELD(limits.max_profile_size), size_codec{{1, u32_max}},
               {.description = "Largest profile chunk, sum of the chunks of one envelope, and JSON after "
                               "expansion.",
                .example = "25MiB"}),
      make_row("limits.max_profile_chunk_count", FIELD(limits.max_profile_chunk_count),
               integer_codec<std::uint32_t>{{1, u32_max}},
               {.description = "Profile chunks in one envelope.", .example = "1", .when_unset = "no limit"}),
      make_row("limits.keepalive_timeout", FIELD(limits.keepalive_timeout), duration_codec<seconds>{{1, day}},
               {.description = "How long an idle connection is kept.", .example = "60"}),
      make_row("limits.header_timeout", FIELD(limits.header_timeout), duration_codec<seconds>{{1, day}},
               {.description = "How long a client may take to send a request's head.", .example = "10"}),
      make_row("limits.body_timeout", FIELD(limits.body_timeout), duration_codec<seconds>{{1, day}},
               {.description = "How long a client may pause while it sends a body, and take to read a reply.",
                .example = "30"}),
      make_row("limits.min_body_rate", FIELD(limits.min_body_rate), size_codec{{0, u32_max}},
               {.description = "Bytes per second that a body must bring, on average over three times "
                               "limits.body_timeout; a slower one gets 408. 0 accepts any.",
                .example = "16KiB"}),
      make_row("limits.shutdown_timeout", FIELD(limits.shutdown_timeout), duration_codec<seconds>{{0, day}},
               {.description = "How long a shutdown waits for requests and Kafka before it spools the rest.",
                .example = "30"}),
      make_row("limits.tcp_listen_backlog", FIELD(limits.tcp_listen_backlog),
               integer_codec<std::uint32_t>{{1, 65535}},
               {.description = "Connections the kernel queues before they are accepted.", .example = "4096"}),
      make_row("limits.max_connections", FIELD(limits.max_connections),
               integer_codec<std::uint32_t>{{1, u32_max}},
               {.description = "Open connections; more wait in the backlog, except to the internal listener.",
                .example = "10000",
                .when_unset = "no limit"}),
      make_row("limits.max_thread_count", FIELD(limits.max_thread_count),
               integer_codec<std::uint32_t>{{0, 1024}},
               {.description = "Threads that decode profiles; 0 means one for each CPU.", .example = "4"}),
      make_row("limits.max_inflight_bytes", FIELD(limits.max_inflight_bytes), size_codec{{1u << 20}},
               {.description = "Memory of all requests in work; beyond it reading pauses, then 503.",
                .example = "1GiB",
                .when_unset = "a quarter of the container's memory limit"}),
  };
}

std::vector<option> profiling_rows() {
  using count = integer_codec<std::uint32_t>;
  return {
      make_row("profiling.max_packet_size", FIELD(profiling.max_packet_size), size_codec{{1, u32_max}},
               {.description = "Largest packet of a trace.", .example = "8MiB"}),
      make_row("profiling.max_packets", FIELD(profiling.max_packets), count{{1, index_max}},
               {.description = "A trace with this many packets is rejected.", .example = "500000"}),
      make_row("profiling.max_samples", FIELD(profiling.max_samples), count{{1, index_max}},
               {.description = "A trace with this many sample records is rejected.", .example = "200000"}),
      make_row("profiling.max_stack_depth", FIELD(profiling.max_stack_depth), count{{1, index_max}},
               {.description = "A sample with a deeper call stack rejects the profile.", .example = "2000"}),
      make_row("profiling.max_path_parts", FIELD(profiling.max_path_parts), count{{1, index_max}},
               {.description = "A mapping whose path has more parts is treated as having no path.",
                .example = "50"}),
      make_row("profiling.max_frames", FIELD(profiling.max_frames), count{{1, index_max}},
               {.description = "Distinct frames of a profile.", .example = "500000"}),
      make_row("profiling.max_sequences", FIELD(profiling.max_sequences), count{{1, index_max}},
               {.description = "Distinct packet sequences of a trace.", .example = "8192"}),
      make_row("profiling.max_working_memory", FIELD(profiling.max_working_memory), size_codec{{1}},
               {.description = "Memory for the decoder's interned tables and caches.", .example = "30MiB"}),
      make_row(
          "profiling.max_result_memory", FIELD(profiling.max_result_memory), size_codec{{1}},
          {.description = "Memory for the decoded frames, stacks, images and samples.", .example = "80MiB"}),
      make_row("profiling.accept_chunk_data_pairs", FIELD(profiling.accept_chunk_data_pairs), boolean_codec{},
               {.description = "Accept a trace in its own profile_chunk_data item beside its metadata.",
                .example = "false"}),
      make_row("profiling.self_dsn", FIELD(profiling.self_dsn), text_codec{},
               {.description =
                    "Where the server sends profiles of itself, once a minute, or for each 90,000 samples "
                    "where more than 14 threads make them sooner; it may be the server itself. Empty: it "
                    "does not profile "
                    "itself.",
                .example = "http://a94ae32be2584e0bbd7a4cbb95971fee@127.0.0.1:3000/1"}),
  };
}

#undef FIELD

std::vector<option> build() {
  std::vector<option> all;
  for (auto rows : {relay_rows, processing_rows, service_rows, limits_rows, profiling_rows})
    for (auto& row : rows()) all.push_back(std::move(row));
  return all;
}

}  // namespace

std::span<option const> option_table() {
  static std::vector<option> const table = build();
  return table;
}

option const* find_option(std::string_view key) {
  auto const table = option_table();
  auto const it = std::find_if(table.begin(), table.end(), [&](option const& o) { return o.key == key; });
  return it == table.end() ? nullptr : &*it;
}

bool is_section(std::string_view key) {
  auto const table = option_table();
  return std::any_of(table.begin(), table.end(), [&](option const& o) {
    return o.key.size() > key.size() && o.key.starts_with(key) && o.key[key.size()] == '.';
  });
}

std::string_view nearest_key(std::string_view key) {
  std::string_view best;
  std::size_t best_distance = std::numeric_limits<std::size_t>::max();
  auto const offer = [&](std::string_view candidate) {
    auto const distance = edit_distance(key, candidate);
    if (distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  };
  for (auto const& row : option_table()) {
    std::string_view const whole = row.key;
    for (auto dot = whole.find('.'); dot != std::string_view::npos; dot = whole.find('.', dot + 1))
      offer(whole.substr(0, dot));
    offer(whole);
  }
  return best;
}

}  // namespace profile_relay::config
