#pragma once

#include <boost/assert/source_location.hpp>
#include <boost/system/result.hpp>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>

namespace profile_relay::perfetto_decode {

/// Why a trace is refused as a whole. Anything less than that is a counter (counters.hpp).
enum class errc : std::uint8_t {
  unreadable = 1,       ///< not a trace from its first packet on
  nested_bundle,        ///< a compressed bundle inside a compressed bundle
  too_many_packets,     ///< limits::packets
  too_many_samples,     ///< limits::samples
  packet_too_large,     ///< limits::packet_bytes
  callstack_too_deep,   ///< limits::callstack_depth, by a callstack that a sample uses
  too_many_frames,      ///< limits::frames
  too_many_sequences,   ///< limits::sequences
  too_many_inflated,    ///< limits::inflated_bytes
  working_memory,       ///< limits::working_bytes
  result_memory,        ///< limits::result_bytes
  unsupported_packing,  ///< compressed in a way this build does not read yet
};

/// True for those that outcome reason profiling_exceed_size_limit names; the others are
/// profiling_invalid_sampled_profile.
constexpr bool is_limit(errc e) { return e >= errc::too_many_packets && e <= errc::result_memory; }

struct error {
  errc code;
  std::size_t offset = 0;  ///< bytes from the start of the (inflated) trace
  std::string what;        ///< one clause for the log; names the limit and its value
};

[[noreturn]] inline void throw_exception_from_error(error const& e, boost::source_location const&) {
  throw std::runtime_error("perfetto_decode: " + e.what);
}

template <class T>
using result = boost::system::result<T, error>;

}  // namespace profile_relay::perfetto_decode
