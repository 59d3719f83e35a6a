#pragma once

#include <cstdint>
#include <string>
#include <string_view>

/// How single JSON values are written. Contract 13, "JSON numbers".
namespace profile_relay::profile::json_text {

/// With quotes. Escapes what JSON demands and nothing more. `text` must be valid UTF-8.
void append_string(std::string& out, std::string_view text);

/// The same without a string behind it. Needs room for `max_string_size(text)`, or, to the byte,
/// `string_size(text)`.
char* write_string(char* to, std::string_view text);
constexpr std::size_t max_string_size(std::string_view text) { return 6 * text.size() + 2; }
std::size_t string_size(std::string_view text);

/// The shortest form that reads back the same, with at least one digit after the point, and without an
/// exponent below 1e15. `v` must be finite.
void append_number(std::string& out, double v);

void append_uint(std::string& out, std::uint64_t v);
void append_int(std::string& out, std::int64_t v);

/// A string: "0x" and lower-case hex digits without padding.
void append_address(std::string& out, std::uint64_t v);
/// Needs room for 20 characters.
char* write_address(char* to, std::uint64_t v);

}  // namespace profile_relay::profile::json_text
