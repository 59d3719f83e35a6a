#include "server/core/reason.hpp"

#include <array>

namespace profile_relay::server {

namespace {

constexpr std::array table{
#define X(id, status, outcome, text, retry, detail) \
  reason_row{reason::id, #id, status, outcome, text, retry, detail},
    PROFILE_RELAY_REASONS(X)
#undef X
};

}  // namespace

std::span<const reason_row> reason_table() { return table; }

reason_row const& row_of(reason r) { return table[static_cast<std::size_t>(r)]; }

bool ends_requests(reason r) { return r < reason::unavailable || r == reason::internal; }

bool ends_chunks(reason r) { return r >= reason::byte_budget; }

reason to_reason(envelope::errc e) {
  using envelope::errc;
  switch (e) {
    case errc::unexpected_eof:
      return reason::envelope_unexpected_eof;
    case errc::missing_header:
      return reason::envelope_missing_header;
    case errc::missing_newline:
      return reason::envelope_missing_newline;
    case errc::invalid_header:
      return reason::envelope_invalid_header;
    case errc::invalid_item_header:
      return reason::envelope_invalid_item_header;
    case errc::header_mismatch:
      return reason::envelope_header_mismatch;
    case errc::internal_item_type:
      return reason::envelope_internal_item_type;
  }
  return reason::internal;
}

reason to_reason(envelope::auth_errc e) {
  using envelope::auth_errc;
  switch (e) {
    case auth_errc::missing:
      return reason::auth_missing;
    case auth_errc::multiple:
      return reason::auth_multiple;
    case auth_errc::malformed:
      return reason::auth_malformed;
    case auth_errc::bad_envelope_header:
      return reason::auth_bad_envelope_header;
    case auth_errc::bad_public_key:
      return reason::bad_public_key;
    case auth_errc::bad_version:
      return reason::bad_version;
  }
  return reason::internal;
}

reason to_reason(profile::errc e) {
  using profile::errc;
  switch (e) {
    case errc::invalid_json:
      return reason::profiling_invalid_json;
    case errc::invalid_sampled_profile:
      return reason::profiling_invalid_sampled_profile;
    case errc::invalid_profile_type:
      return reason::profiling_invalid_profile_type;
    case errc::platform_not_supported:
      return reason::profiling_platform_not_supported;
    case errc::not_enough_samples:
      return reason::profiling_not_enough_samples;
    case errc::malformed_samples:
      return reason::profiling_malformed_samples;
    case errc::malformed_stacks:
      return reason::profiling_malformed_stacks;
    case errc::duration_is_too_long:
      return reason::profiling_duration_is_too_long;
    case errc::exceed_size_limit:
      return reason::profiling_exceed_size_limit;
    case errc::failed_serialization:
      return reason::profiling_failed_serialization;
    case errc::filtered_ip_address:
      return reason::filtered_ip_address;
  }
  return reason::internal;
}

}  // namespace profile_relay::server
