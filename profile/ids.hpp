#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "profile/sample_v2.hpp"

/// The spellings of ids. All refuse by returning absent.
namespace profile_relay::profile {

/// 32 hex digits of either case, dashes anywhere -> 32 lowercase digits. Source: contract 3.4.
std::optional<sample_v2::hex_id> parse_hex_id(std::string_view text);

/// A UUID with or without dashes -> lowercase with dashes.
std::optional<std::string> canonical_uuid(std::string_view text);

/// A UUID, optionally followed by an age of 1 to 8 hex digits, with or without dashes -> lowercase with
/// dashes; an age of 0 is left out.
std::optional<std::string> canonical_debug_id(std::string_view text);

/// What a mapping's build id is as a debug id: raw bytes as a little-endian UUID, 33 hex digits as GUID and
/// age. Absent for an empty id and for Chrome's words "missing" and "system". Source: perfetto-decoding 14.4.
std::optional<std::string> debug_id_of_build_id(std::string_view build_id);

}  // namespace profile_relay::profile
