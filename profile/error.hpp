#pragma once

#include <boost/assert/source_location.hpp>
#include <boost/system/result.hpp>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>

namespace profile_relay::profile {

/// Why a chunk is rejected by its content or, last, by a filter. The names are the outcome reasons without their
/// "profiling_" prefix. Source: ingestion contract 11.
enum class errc : std::uint8_t {
  invalid_json = 1,
  invalid_sampled_profile,
  invalid_profile_type,
  platform_not_supported,
  not_enough_samples,
  malformed_samples,
  malformed_stacks,
  duration_is_too_long,
  exceed_size_limit,
  failed_serialization,
  filtered_ip_address,  ///< nothing is wrong with it (outcome "ip-address")
};

struct error {
  errc code;
  std::string cause;       ///< finer name for log and metric, e.g. "missing_clock_snapshot"; a fixed set
  std::string what;        ///< one clause for people: names the field and what is allowed
  std::size_t offset = 0;  ///< byte offset within the chunk's payload where that is known
};

[[noreturn]] inline void throw_exception_from_error(error const& e, boost::source_location const&) {
  throw std::runtime_error("profile: " + e.what);
}

template <class T>
using result = boost::system::result<T, error>;

}  // namespace profile_relay::profile
