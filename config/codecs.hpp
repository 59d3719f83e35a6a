#pragma once

#include <algorithm>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "config/option.hpp"
#include "config/scalar_text.hpp"

// How a kind of value is read and printed. A codec has `value`, `kind()`, `allowed()`, `parse(node, value&)`
// and `print(value)`; `make_row` (row_builder.hpp) joins one with a member of `settings`.

namespace profile_relay::config {

/// Refuses everything but a scalar.
verdict require_scalar(node const& in);

struct text_codec {
  using value = std::string;
  static std::string kind() { return "text"; }
  static std::string allowed() { return ""; }
  static verdict parse(node const& in, value& out);
  static std::string print(value const& v) { return yaml_scalar(v); }
};

struct path_codec {
  using value = std::filesystem::path;
  static std::string kind() { return "path"; }
  static std::string allowed() { return "relative paths start at the configuration folder"; }
  static verdict parse(node const& in, value& out);
  static std::string print(value const& v) { return v.empty() ? "null" : yaml_scalar(v.string()); }
};

struct address_codec {
  using value = std::string;
  static std::string kind() { return "address"; }
  static std::string allowed() { return "an IPv4 or IPv6 address"; }
  static verdict parse(node const& in, value& out);
  static std::string print(value const& v) { return yaml_scalar(v); }
};

struct boolean_codec {
  using value = bool;
  static std::string kind() { return "boolean"; }
  static std::string allowed() { return "true, false"; }
  static verdict parse(node const& in, value& out);
  static std::string print(value v) { return v ? "true" : "false"; }
};

/// A number from 0 to 1.
struct fraction_codec {
  using value = double;
  static std::string kind() { return "fraction"; }
  static std::string allowed() { return "0 to 1"; }
  static verdict parse(node const& in, value& out);
  static std::string print(value v) { return print_fraction(v); }
};

struct range {
  std::uint64_t min = 0;
  std::uint64_t max = std::numeric_limits<std::uint64_t>::max();
};

/// The common part of whole numbers and sizes: syntax, then bounds, each with its message.
verdict parse_bounded(node const& in, range bounds, bool size_units, std::uint64_t& out);
std::string print_range(range bounds, bool size_units);

template <std::unsigned_integral T>
struct integer_codec {
  using value = T;
  range bounds;
  std::string kind() const { return "integer"; }
  std::string allowed() const { return print_range(bounds, false); }
  verdict parse(node const& in, value& out) const {
    std::uint64_t number = 0;
    if (auto refused = parse_bounded(in, bounds, false, number)) return refused;
    out = static_cast<T>(number);
    return {};
  }
  std::string print(value v) const { return std::to_string(v); }
};

struct size_codec {
  using value = std::uint64_t;
  range bounds;
  std::string kind() const { return "size"; }
  std::string allowed() const { return print_range(bounds, true); }
  verdict parse(node const& in, value& out) const { return parse_bounded(in, bounds, true, out); }
  std::string print(value v) const { return print_size(v); }
};

/// Whole units of a duration type.
template <class Duration>
struct duration_codec {
  using value = Duration;
  range bounds;
  std::string kind() const {
    return std::is_same_v<Duration, std::chrono::milliseconds> ? "milliseconds" : "seconds";
  }
  std::string allowed() const { return print_range(bounds, false); }
  verdict parse(node const& in, value& out) const {
    std::uint64_t number = 0;
    if (auto refused = parse_bounded(in, bounds, false, number)) return refused;
    out = Duration{static_cast<typename Duration::rep>(number)};
    return {};
  }
  std::string print(value v) const { return std::to_string(v.count()); }
};

/// One of a fixed set of words. Of two words for one value the first is the one printed.
template <class T>
struct choice_codec {
  using value = T;
  struct word {
    std::string text;
    T means;
  };
  std::vector<word> words;
  bool any_case = false;

  std::string kind() const { return "choice"; }
  std::string allowed() const {
    std::string out;
    for (auto const& w : words) out += (out.empty() ? "" : ", ") + w.text;
    return out;
  }
  verdict parse(node const& in, value& out) const {
    if (auto refused = require_scalar(in)) return refused;
    auto const given = any_case ? to_lower(in.scalar) : in.scalar;
    for (auto const& w : words)
      if (w.text == given) {
        out = w.means;
        return {};
      }
    return refusal{errc::not_allowed, "'" + in.scalar + "' is not one of: " + allowed()};
  }
  std::string print(value const& v) const {
    auto const it = std::find_if(words.begin(), words.end(), [&](word const& w) { return w.means == v; });
    return it == words.end() ? "null" : it->text;
  }
};

/// A list of addresses or address ranges.
struct ip_ranges_codec {
  using value = std::vector<std::string>;
  static constexpr bool structured = true;
  static std::string kind() { return "list"; }
  static std::string allowed() { return "IP addresses or ranges such as 10.0.0.0/8"; }
  static verdict parse(node const& in, value& out);
  static std::string print(value const& v);
};

}  // namespace profile_relay::config
