#include <catch2/catch.hpp>
#include <set>

#include "config/ignored_keys.hpp"
#include "config/option_table.hpp"
#include "support.hpp"

using namespace profile_relay::config;
using namespace config_test;

TEST_CASE("every key without effect is accepted with a warning that names it") {
  auto const untouched = show(load_text("").value().values);
  for (auto const& row : ignored_keys()) {
    INFO(row.key);
    // Some are whole sections, some single values: neither may matter, nor a variable that does not exist.
    for (auto const* value : {"{a: [1, 2]}", "5", "\"${NOT_THERE}\""}) {
      auto const key =
          row.key == "processing.topics" ? std::string("processing.topics.events") : std::string(row.key);
      auto const loaded = load_text(yaml_for(key, value));
      INFO(message(loaded));
      REQUIRE(loaded);
      REQUIRE(loaded.value().warnings.size() == 1);
      CHECK(contains(loaded.value().warnings[0], key.substr(0, key.rfind('.'))));
      CHECK(show(loaded.value().values) == untouched);
    }
  }
}

TEST_CASE("the list holds what the contract names") {
  for (auto const* key : {"relay.upstream",
                          "processing.redis",
                          "processing.objectstore",
                          "processing.objectstore.url",
                          "processing.attachment_chunk_size",
                          "processing.projectconfig_cache_prefix",
                          "processing.topics.outcomes_billing",
                          "cache.project_expiry",
                          "cache.project_grace_period",
                          "cache.miss_expiry",
                          "spool.envelopes.max_envelope_delay",
                          "spool.envelopes.partitions",
                          "outcomes.batch_size",
                          "outcomes.batch_interval",
                          "outcomes.aggregator.bucket_interval",
                          "http.timeout",
                          "auth.ready",
                          "metrics.statsd",
                          "sentry.dsn",
                          "aggregator",
                          "secondary_aggregators",
                          "geoip",
                          "normalization",
                          "cogs",
                          "upload",
                          "routing.accept_unknown_items",
                          "limits.max_event_size",
                          "limits.max_attachment_size",
                          "limits.max_attachments_size",
                          "limits.max_attachment_count",
                          "limits.max_upload_size",
                          "limits.max_sessions_size",
                          "limits.max_client_reports_size",
                          "limits.max_log_size",
                          "limits.max_span_size",
                          "limits.max_container_size",
                          "limits.max_replay_compressed_size",
                          "limits.max_api_payload_size",
                          "limits.max_pool_concurrency",
                          "limits.query_timeout",
                          "limits.max_concurrent_requests"}) {
    INFO(key);
    CHECK(find_ignored(key) != nullptr);
  }
  CHECK(find_ignored("metricsx") == nullptr);
  CHECK(find_ignored("limits") == nullptr);
}

TEST_CASE("no key is both an option and without effect") {
  std::set<std::string_view> seen;
  for (auto const& row : ignored_keys()) {
    INFO(row.key);
    CHECK(find_option(row.key) == nullptr);
    CHECK(seen.insert(row.key).second);
  }
}

TEST_CASE("the keys present share one line, wherever they stand, and the surprising ones say why") {
  auto const loaded = load_text(R"(
metrics: {statsd: "127.0.0.1:8126"}
relay:
  upstream: https://sentry.example
processing:
  redis: redis://r
  topics: {events: e, attachments: a}
limits: {max_event_size: 1MiB}
)",
                                {}, {{"sentry.dsn", "x"}, {"processing.redis", "redis://other"}});
  REQUIRE(loaded);
  CHECK(loaded.value().warnings ==
        std::vector<std::string>{
            "keys of Relay without effect here: metrics, relay.upstream (projects come from files and "
            "profiles go to Kafka), processing.redis (rate limit counters are kept per instance), "
            "processing.topics.events, processing.topics.attachments, limits.max_event_size, --set "
            "processing.redis (rate limit counters are kept per instance), --set sentry.dsn"});
}
