#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "config/error.hpp"

namespace profile_relay::config {

/// Either a number, or `wrong_type` (not of this syntax) or `out_of_range` (the syntax holds, the value does
/// not fit).
struct parsed_number {
  std::uint64_t value = 0;
  std::optional<errc> problem;
};

/// Decimal digits only. A minus sign before digits is out of range, not a syntax error.
parsed_number parse_unsigned(std::string_view text);

/// Bytes: digits alone, or digits and one of B, KB, MB, GB (powers of 1000), KiB, MiB, GiB (powers of 1024),
/// with at most one blank between. Units are case-sensitive: "Mb" would mean bits to half of the readers.
parsed_number parse_size(std::string_view text);

/// The shortest exact form in binary units: 52428800 -> "50MiB", 1000 -> "1000".
std::string print_size(std::uint64_t bytes);

/// "true" and "false" in any case; nothing else.
std::optional<bool> parse_boolean(std::string_view text);

/// A decimal number such as 0.95; absent when the text is anything else, infinity and NaN included.
std::optional<double> parse_fraction(std::string_view text);

/// The shortest text that reads back as the same number.
std::string print_fraction(double value);

std::string to_lower(std::string_view text);

}  // namespace profile_relay::config
