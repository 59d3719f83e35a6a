#pragma once

// Internal to envelope/: the encodings in which credentials arrive.

#include <optional>
#include <string>
#include <string_view>

namespace profile_relay::envelope::detail {

/// Without blanks and tabs at both ends.
std::string_view trim(std::string_view text);

/// RFC 4648 base64, padding optional. Absent when a character or the length is not of base64.
std::optional<std::string> decode_base64(std::string_view text);

/// A form-encoded name or value: "+" is a blank, "%2F" a byte; a "%" without two hex digits stands for
/// itself.
std::string decode_form(std::string_view text);

}  // namespace profile_relay::envelope::detail
