#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "envelope/auth.hpp"
#include "envelope/error.hpp"
#include "profile/error.hpp"

namespace profile_relay::server {

/// Everything that can end a request or a chunk otherwise than delivered or spooled. X(id, status, outcome,
/// reason, retry, detail): status of a request that ends by it alone; outcome id (0 = none) and its reason;
/// Retry-After seconds (0 = none); `detail` of the error body. The id is the metric label. This is the ONE
/// table. Source: contract 5.2, 5.5, 11.
#define PROFILE_RELAY_REASONS(X)                                                                      \
  /* the request */                                                                                   \
  X(empty_body, 400, 0, "", 0, "empty request body")                                                  \
  X(envelope_unexpected_eof, 400, 0, "", 0, "invalid event envelope")                                 \
  X(envelope_missing_header, 400, 0, "", 0, "invalid event envelope")                                 \
  X(envelope_missing_newline, 400, 0, "", 0, "invalid event envelope")                                \
  X(envelope_invalid_header, 400, 0, "", 0, "invalid event envelope")                                 \
  X(envelope_invalid_item_header, 400, 0, "", 0, "invalid event envelope")                            \
  X(envelope_header_mismatch, 400, 0, "", 0, "envelope header contradicts the request")               \
  X(envelope_internal_item_type, 400, 0, "", 0, "invalid event envelope")                             \
  X(bad_project_id, 400, 0, "", 0, "invalid project id in the path")                                  \
  X(bad_public_key, 400, 0, "", 0, "bad sentry DSN public key")                                       \
  X(bad_version, 400, 0, "", 0, "unsupported sentry_version")                                         \
  X(bad_encoding, 400, 0, "", 0, "damaged content encoding")                                          \
  X(bad_request, 400, 0, "", 0, "malformed HTTP request")                                             \
  X(auth_missing, 401, 0, "", 0, "missing authorization information")                                 \
  X(auth_multiple, 401, 0, "", 0, "multiple authorization payloads detected")                         \
  X(auth_malformed, 401, 0, "", 0, "bad x-sentry-auth header")                                        \
  X(auth_bad_envelope_header, 401, 0, "", 0, "bad envelope authentication header")                    \
  X(unknown_key, 403, 0, "", 0, "no such public key")                                                 \
  X(disabled_key, 403, 0, "", 0, "public key is disabled")                                            \
  X(wrong_project, 403, 0, "", 0, "public key belongs to another project")                            \
  X(disabled_project, 403, 0, "", 0, "project is disabled")                                           \
  X(origin_not_allowed, 403, 0, "", 0, "origin is not allowed")                                       \
  X(route_not_found, 404, 0, "", 0, "no such route")                                                  \
  X(route_not_served, 404, 0, "", 0, "not served here; route such traffic to Relay")                  \
  X(method_not_allowed, 405, 0, "", 0, "method not allowed")                                          \
  X(timeout_header, 408, 0, "", 0, "request head came too slowly")                                    \
  X(timeout_body, 408, 0, "", 0, "request body came too slowly")                                      \
  X(body_too_large, 413, 0, "", 0, "envelope exceeds limits.max_envelope_size")                       \
  X(unsupported_encoding, 415, 0, "", 0, "unsupported content encoding")                              \
  X(memory_watermark, 503, 0, "", 5, "server is over its memory mark")                                \
  /* the request, or each of its chunks */                                                            \
  X(byte_budget, 503, 0, "", 5, "server is out of memory budget")                                     \
  /* a chunk */                                                                                       \
  X(unavailable, 503, 0, "", 30, "neither Kafka nor the spool can take the profile")                  \
  X(too_large, 413, 3, "too_large:profile_chunk", 0, "profile_chunk exceeds limits.max_profile_size") \
  X(too_many_chunks, 413, 3, "too_large:profile_chunk", 0,                                            \
    "more profile_chunk items than limits.max_profile_chunk_count")                                   \
  X(rate_limited, 429, 2, "", 0, "profile_chunk is rate limited")                                     \
  X(filtered_ip_address, 200, 1, "ip-address", 0, "")                                                 \
  X(feature_disabled, 200, 3, "feature_disabled", 0, "")                                              \
  X(profiling_invalid_json, 200, 3, "profiling_invalid_json", 0, "")                                  \
  X(profiling_invalid_sampled_profile, 200, 3, "profiling_invalid_sampled_profile", 0, "")            \
  X(profiling_invalid_profile_type, 200, 3, "profiling_invalid_profile_type", 0, "")                  \
  X(profiling_platform_not_supported, 200, 3, "profiling_platform_not_supported", 0, "")              \
  X(profiling_not_enough_samples, 200, 3, "profiling_not_enough_samples", 0, "")                      \
  X(profiling_malformed_samples, 200, 3, "profiling_malformed_samples", 0, "")                        \
  X(profiling_malformed_stacks, 200, 3, "profiling_malformed_stacks", 0, "")                          \
  X(profiling_duration_is_too_long, 200, 3, "profiling_duration_is_too_long", 0, "")                  \
  X(profiling_exceed_size_limit, 200, 3, "profiling_exceed_size_limit", 0, "")                        \
  /* no request is known to end by these two, our own mistakes; `internal` is also the outcome of */  \
  /* what a broker refused for good after a 200 */                                                    \
  X(profiling_failed_serialization, 200, 3, "profiling_failed_serialization", 0, "")                  \
  X(internal, 500, 3, "internal", 0, "internal error")

enum class reason : std::uint8_t {
#define X(id, status, outcome, text, retry, detail) id,
  PROFILE_RELAY_REASONS(X)
#undef X
};

struct reason_row {
  reason id;
  std::string_view name;  ///< metric label
  int status;             ///< 200: the chunk is rejected by content and the request still succeeds
  int outcome_id;         ///< 0 = no outcome
  std::string_view outcome_reason;
  int retry_after;  ///< seconds, 0 = none
  std::string_view detail;
};

std::span<const reason_row> reason_table();
reason_row const& row_of(reason r);

/// Whether a request can end by `r` alone, before or without any chunk; such ends are counted in
/// requests_rejected_total.
bool ends_requests(reason r);
/// Whether a known chunk can end by `r`; such ends are counted in chunks_rejected_total. A request that only
/// repeats its chunks' reason is not counted a second time.
bool ends_chunks(reason r);

reason to_reason(envelope::errc e);
reason to_reason(envelope::auth_errc e);
reason to_reason(profile::errc e);

}  // namespace profile_relay::server
