#include "server/core/reason_page.hpp"

namespace profile_relay::server {

namespace {

constexpr std::string_view client_body = "a fault of the client, or of a proxy that changes bodies";
constexpr std::string_view client_envelope =
    "a fault of the client, or of a proxy that changes bodies: `causes` of the error body says where";
constexpr std::string_view client_content = "a fault of the client: the log line of the chunk says what";

constexpr std::string_view opening = R"(# Reasons

This file is generated from the table of reasons (`profile-relay reasons`); do not edit it.

Whatever ends otherwise than delivered or spooled ends by one of these reasons. The name is the label `reason` of the
counters, and stands in the log line of a chunk.

- **counted as**: *request* is `profile_relay_requests_rejected_total`: the request ended before its chunks were known.
  *chunk* is `profile_relay_chunks_rejected_total`: a known chunk ended so.
- **status**: of a request that ends by this reason alone. 200: the chunk is rejected, the request succeeds. Several
  chunks: 503 if any found no place, else 200 if any was accepted or rejected with 200, else what all of them got.
- **outcome**: id and reason of the record on the topic of outcomes; ids: 1 filtered, 2 rate limited, 3 invalid.
- **Retry-After**: seconds, in that header.
- **detail**: of the JSON body of the error.

| reason | counted as | status | outcome | Retry-After | detail | what to do |
|---|---|---|---|---|---|---|
)";

std::string_view counted_as(reason r) {
  if (ends_requests(r) && ends_chunks(r)) return "request, chunk";
  return ends_requests(r) ? "request" : "chunk";
}

std::string outcome_text(reason_row const& row) {
  if (row.outcome_id == 0) return {};
  auto const reason =
      row.id == reason::rate_limited ? "the quota's reasonCode" : "`" + std::string(row.outcome_reason) + "`";
  return std::to_string(row.outcome_id) + " " + reason;
}

std::string retry_text(reason_row const& row) {
  if (row.id == reason::rate_limited) return "the longest limit's";
  return row.retry_after == 0 ? std::string() : std::to_string(row.retry_after);
}

}  // namespace

std::string_view advice_for(reason r) {
  switch (r) {
    case reason::empty_body:
    case reason::bad_encoding:
      return client_body;
    case reason::envelope_unexpected_eof:
    case reason::envelope_missing_header:
    case reason::envelope_missing_newline:
    case reason::envelope_invalid_header:
    case reason::envelope_invalid_item_header:
      return client_envelope;
    case reason::envelope_header_mismatch:
      return "the envelope's `dsn` or `origin` is another one than the request's: one client, one DSN";
    case reason::envelope_internal_item_type:
      return "only relays may send this item type: nothing to do, or look who sends it";
    case reason::bad_project_id:
    case reason::bad_public_key:
    case reason::auth_missing:
    case reason::auth_malformed:
    case reason::auth_bad_envelope_header:
      return "check the client's DSN, and that a proxy passes headers and query on";
    case reason::bad_version:
      return "the client speaks a newer protocol than 7: upgrade here";
    case reason::bad_request:
      return "not HTTP/1.1 as RFC 9112 has it: check the client or the proxy between";
    case reason::auth_multiple:
      return "keep one of X-Sentry-Auth, Authorization and query; often a proxy adds one";
    case reason::unknown_key:
      return "add the key to a file of `projects/`, or take the DSN from one of them";
    case reason::disabled_key:
      return "set the key's `isEnabled`, or give the client another key";
    case reason::wrong_project:
      return "the DSN's project is not the key's: take both from one project file";
    case reason::disabled_project:
      return "remove `disabled` from the project file if that is not on purpose";
    case reason::origin_not_allowed:
      return "add the site to `config.allowedDomains` of the project";
    case reason::route_not_found:
      return "check the client's URL; envelopes go to `/api/PROJECT/envelope/`";
    case reason::route_not_served:
      return "route all but profile envelopes to Relay";
    case reason::method_not_allowed:
      return "the header `Allow` names the methods";
    case reason::timeout_header:
    case reason::timeout_body:
      return "a slow network, or an attack; `limits.header_timeout` and `limits.body_timeout`";
    case reason::body_too_large:
      return "shorter chunks, or raise `limits.max_envelope_size`";
    case reason::unsupported_encoding:
      return "one of gzip, deflate, br, zstd, or none";
    case reason::memory_watermark:
      return "more memory, or raise `health.max_memory_percent` or `health.max_memory_bytes`";
    case reason::byte_budget:
      return "more memory or instances, or raise `limits.max_inflight_bytes`; SDKs do not send again";
    case reason::unavailable:
      return "bring Kafka back, or raise `spool.envelopes.max_disk_size`, or free the disk; SDKs do not send "
             "again";
    case reason::too_large:
      return "shorter chunks or a lower frequency, or raise `limits.max_profile_size`";
    case reason::too_many_chunks:
      return "fewer chunks in an envelope, or raise `limits.max_profile_chunk_count`";
    case reason::rate_limited:
      return "as the project's `config.quotas` want it";
    case reason::filtered_ip_address:
      return "as the project's `config.filterSettings` want it";
    case reason::feature_disabled:
      return "add the flag that the log line names to `config.features`; the outcome is sent with "
             "`outcomes.emit_feature_disabled` only";
    case reason::profiling_invalid_json:
    case reason::profiling_invalid_profile_type:
    case reason::profiling_malformed_samples:
    case reason::profiling_malformed_stacks:
      return client_content;
    case reason::profiling_invalid_sampled_profile:
      return "`profile-relay inspect` on the trace says what is wrong with it";
    case reason::profiling_platform_not_supported:
      return "only Sample v2 and Perfetto are served: update the SDK";
    case reason::profiling_not_enough_samples:
      return "usual for an idle app; if all chunks end so, `profile-relay inspect` on a trace says why";
    case reason::profiling_duration_is_too_long:
      return "chunks of at most 66 s";
    case reason::profiling_exceed_size_limit:
      return "shorter chunks or a lower frequency; the log line names the limit";
    case reason::profiling_failed_serialization:
    case reason::internal:
      return "a fault of this server, or a broker that refused a record for good: report it with the log "
             "line";
  }
  return {};
}

std::string reasons_markdown() {
  std::string out(opening);
  for (auto const& row : reason_table()) {
    out += "| `" + std::string(row.name) + "` | " + std::string(counted_as(row.id)) + " | " +
           std::to_string(row.status) + " | " + outcome_text(row) + " | " + retry_text(row) + " | " +
           std::string(row.detail) + " | " + std::string(advice_for(row.id)) + " |\n";
  }
  return out;
}

}  // namespace profile_relay::server
