#include "config/ignored_keys.hpp"

#include <algorithm>
#include <array>

namespace profile_relay::config {
namespace {

constexpr std::string_view no_upstream = "nothing is fetched from or forwarded to an upstream";
constexpr std::string_view not_served = "this type of data is not served";
constexpr std::string_view own_spool = "the spool here stands behind processing and never expires";
constexpr std::string_view elsewhere = "this part of Relay does not exist here";
constexpr std::string_view no_tls = "plain HTTP only; TLS belongs in a proxy";

constexpr std::array rows{
    ignored_key{"relay.upstream", no_upstream, "projects come from files and profiles go to Kafka"},
    ignored_key{"relay.instance", no_upstream},
    ignored_key{"relay.advertised_upstream", no_upstream},
    ignored_key{"relay.override_project_ids", no_upstream},
    ignored_key{"relay.config_reload_interval", "the file's live options are always reloaded"},
    ignored_key{"relay.tls_port", no_tls},
    ignored_key{"relay.tls_identity_path", no_tls},
    ignored_key{"relay.tls_identity_password", no_tls},

    ignored_key{"processing.redis", "rate limits shared between instances are not built yet",
                "rate limit counters are kept per instance"},
    ignored_key{"processing.objectstore", "not built yet; the raw trace travels in the Kafka message"},
    ignored_key{"processing.upload", "an older name of processing.objectstore"},
    ignored_key{"processing.topics", "only the topics profiles and outcomes are written"},
    ignored_key{"processing.attachment_chunk_size", not_served},
    ignored_key{"processing.projectconfig_cache_prefix", "projects come from files"},
    ignored_key{"processing.geoip_path", elsewhere},
    ignored_key{"processing.max_secs_in_future", not_served},
    ignored_key{"processing.max_session_secs_in_past", not_served},
    ignored_key{"processing.quota_cache_ratio", "counters are kept in this process"},
    ignored_key{"processing.quota_cache_max", "counters are kept in this process"},

    ignored_key{"cache.project_request_full_config", no_upstream},
    ignored_key{"cache.project_expiry", no_upstream},
    ignored_key{"cache.project_grace_period", no_upstream},
    ignored_key{"cache.project_refresh_interval", no_upstream},
    ignored_key{"cache.relay_expiry", no_upstream},
    ignored_key{"cache.miss_expiry", no_upstream},
    ignored_key{"cache.batch_interval", no_upstream},
    ignored_key{"cache.downstream_relays_batch_interval", no_upstream},
    ignored_key{"cache.batch_size", no_upstream},
    ignored_key{"cache.global_config_fetch_interval", no_upstream},

    ignored_key{"spool.envelopes.batch_size_bytes", own_spool},
    ignored_key{"spool.envelopes.flush_timeout_secs", own_spool},
    ignored_key{"spool.envelopes.max_envelope_delay", own_spool},
    ignored_key{"spool.envelopes.max_envelope_delay_secs", own_spool},
    ignored_key{"spool.envelopes.disk_usage_refresh_frequency_ms", own_spool},
    ignored_key{"spool.envelopes.max_backpressure_memory_percent", own_spool},
    ignored_key{"spool.envelopes.partitions", own_spool},
    ignored_key{"spool.envelopes.partitioning", own_spool},
    ignored_key{"spool.envelopes.ephemeral", own_spool},

    ignored_key{"outcomes.batch_size", "one outcome for each rejected profile"},
    ignored_key{"outcomes.batch_interval", "one outcome for each rejected profile"},
    ignored_key{"outcomes.aggregator", "one outcome for each rejected profile"},

    ignored_key{"health.memory_stat_refresh_frequency_ms", "memory is read at each health refresh"},

    ignored_key{"logging.enable_backtraces", elsewhere},

    ignored_key{"http.timeout", no_upstream},
    ignored_key{"http.connection_timeout", no_upstream},
    ignored_key{"http.max_retry_interval", no_upstream},
    ignored_key{"http.host_header", no_upstream},
    ignored_key{"http.auth_interval", no_upstream},
    ignored_key{"http.outage_grace_period", no_upstream},
    ignored_key{"http.retry_delay", no_upstream},
    ignored_key{"http.project_failure_interval", no_upstream},
    ignored_key{"http.encoding", no_upstream},
    ignored_key{"http.global_metrics", no_upstream},
    ignored_key{"http.forward", no_upstream},
    ignored_key{"http.dns_cache", no_upstream},

    ignored_key{"limits.max_concurrent_requests", no_upstream},
    ignored_key{"limits.max_concurrent_queries", no_upstream},
    ignored_key{"limits.query_timeout", no_upstream},
    ignored_key{"limits.max_pool_concurrency", "a thread works on one profile at a time"},
    ignored_key{"limits.idle_timeout", "keepalive_timeout and body_timeout bound idle connections"},
    ignored_key{"limits.max_event_size", not_served},
    ignored_key{"limits.max_attachment_size", not_served},
    ignored_key{"limits.max_attachments_size", not_served},
    ignored_key{"limits.max_attachment_count", not_served},
    ignored_key{"limits.max_upload_size", not_served},
    ignored_key{"limits.max_client_reports_size", not_served},
    ignored_key{"limits.max_client_reports_count", not_served},
    ignored_key{"limits.max_check_in_size", not_served},
    ignored_key{"limits.max_sessions_size", not_served},
    ignored_key{"limits.max_session_count", not_served},
    ignored_key{"limits.max_api_payload_size", not_served},
    ignored_key{"limits.max_api_file_upload_size", not_served},
    ignored_key{"limits.max_api_chunk_upload_size", not_served},
    ignored_key{"limits.max_trace_metric_size", not_served},
    ignored_key{"limits.max_log_size", not_served},
    ignored_key{"limits.max_span_size", not_served},
    ignored_key{"limits.max_standalone_span_count", not_served},
    ignored_key{"limits.max_container_size", not_served},
    ignored_key{"limits.max_statsd_size", not_served},
    ignored_key{"limits.max_metric_buckets_size", not_served},
    ignored_key{"limits.max_replay_size", not_served},
    ignored_key{"limits.max_replay_compressed_size", not_served},
    ignored_key{"limits.max_replay_uncompressed_size", not_served},
    ignored_key{"limits.max_replay_message_size", not_served},
    ignored_key{"limits.max_removed_attribute_key_size", not_served},

    ignored_key{"auth", no_upstream},
    ignored_key{"metrics", "metrics are served at /metrics in Prometheus' format"},
    ignored_key{"sentry", elsewhere},
    ignored_key{"aggregator", not_served},
    ignored_key{"secondary_aggregators", not_served},
    ignored_key{"geoip", elsewhere},
    ignored_key{"normalization", elsewhere},
    ignored_key{"cogs", elsewhere},
    ignored_key{"upload", not_served},
    ignored_key{"routing", "unknown items are always removed and counted"},
};

}  // namespace

std::span<ignored_key const> ignored_keys() { return rows; }

ignored_key const* find_ignored(std::string_view key) {
  auto const it = std::find_if(rows.begin(), rows.end(), [&](ignored_key const& row) {
    return key.starts_with(row.key) && (key.size() == row.key.size() || key[row.key.size()] == '.');
  });
  return it == rows.end() ? nullptr : &*it;
}

void append_ignored_name(std::string& list, std::string_view name, ignored_key const* row) {
  if (!list.empty()) list += ", ";
  list += name;
  if (row != nullptr && !row->note.empty()) list += " (" + std::string(row->note) + ")";
}

}  // namespace profile_relay::config
