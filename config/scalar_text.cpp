#include "config/scalar_text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <utility>

namespace profile_relay::config {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

constexpr std::array<std::pair<std::string_view, std::uint64_t>, 7> units{{
    {"GiB", 1u << 30},
    {"MiB", 1u << 20},
    {"KiB", 1u << 10},
    {"GB", 1'000'000'000},
    {"MB", 1'000'000},
    {"KB", 1'000},
    {"B", 1},
}};

}  // namespace

parsed_number parse_unsigned(std::string_view text) {
  bool const negative = text.starts_with('-');
  auto const digits = negative ? text.substr(1) : text;
  if (digits.empty() || !std::all_of(digits.begin(), digits.end(), is_digit)) return {0, errc::wrong_type};
  if (negative) return {0, errc::out_of_range};
  parsed_number out;
  if (std::from_chars(digits.data(), digits.data() + digits.size(), out.value).ec != std::errc{})
    return {0, errc::out_of_range};
  return out;
}

parsed_number parse_size(std::string_view text) {
  std::uint64_t factor = 1;
  for (auto const& [unit, bytes] : units) {
    if (!text.ends_with(unit)) continue;
    text.remove_suffix(unit.size());
    if (text.ends_with(' ')) text.remove_suffix(1);
    factor = bytes;
    break;
  }
  auto number = parse_unsigned(text);
  if (number.problem) return number;
  if (number.value > std::numeric_limits<std::uint64_t>::max() / factor) return {0, errc::out_of_range};
  number.value *= factor;
  return number;
}

std::string print_size(std::uint64_t bytes) {
  for (auto const& [unit, factor] : units)
    if (unit.size() == 3 && bytes >= factor && bytes % factor == 0)
      return std::to_string(bytes / factor) + std::string(unit);
  return std::to_string(bytes);
}

std::optional<bool> parse_boolean(std::string_view text) {
  auto const lower = to_lower(text);
  if (lower == "true") return true;
  if (lower == "false") return false;
  return std::nullopt;
}

std::optional<double> parse_fraction(std::string_view text) {
  double value = 0;
  auto const [end, ec] =
      std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  if (ec != std::errc{} || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

std::string print_fraction(double value) {
  std::array<char, 64> buffer{};
  auto const [end, ec] =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::fixed);
  return ec == std::errc{} ? std::string(buffer.data(), end) : std::string("0");
}

std::string to_lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

}  // namespace profile_relay::config
