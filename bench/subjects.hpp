#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

/// The three ways of going through one trace that the decoder's benchmark compares.
namespace profile_relay::bench {

/// The limit: a bounds-checked walk over every field of every message, summing values. Keeps nothing.
/// Returns the sum, so that no compiler removes the work; 0 if the bytes do not parse.
std::uint64_t scan(std::span<const std::byte> trace);

/// The yardstick: protobuf's generated parser, each packet into a fresh message. Nothing is read from it but
/// its timestamp; 0 if a packet does not parse.
std::uint64_t parse_with_protobuf(std::span<const std::byte> trace);

/// What the server does between body and record: decode, convert, normalise, write JSON.
struct expanded_chunk {
  bool ok = false;
  std::string problem;  ///< why not, for people
  std::string json;
  std::uint64_t samples = 0;
};
expanded_chunk expand_chunk(std::string_view metadata, std::string_view trace);

}  // namespace profile_relay::bench
