#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace profile_relay::fuzz {

std::string zlib(std::string_view content);
std::string gzip(std::string_view content);
std::string zstd(std::string_view content);

/// A trace of one packet with one length-delimited field.
std::string packet_with(std::uint32_t field, std::string_view payload);

}  // namespace profile_relay::fuzz
