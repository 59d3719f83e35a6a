#include "config/codecs.hpp"

#include "config/ip_networks.hpp"

namespace profile_relay::config {

verdict require_scalar(node const& in) {
  if (!in.is(node::kind::list) && !in.is(node::kind::map)) return {};
  return refusal{errc::wrong_type, "expected a single value, found " + std::string(name_of(in.type))};
}

verdict text_codec::parse(node const& in, value& out) {
  if (auto refused = require_scalar(in)) return refused;
  out = in.scalar;
  return {};
}

verdict path_codec::parse(node const& in, value& out) {
  if (auto refused = require_scalar(in)) return refused;
  if (in.scalar.empty()) return refusal{errc::not_allowed, "a path must not be empty"};
  out = in.scalar;
  return {};
}

verdict address_codec::parse(node const& in, value& out) {
  if (auto refused = require_scalar(in)) return refused;
  if (!ip_address::parse(in.scalar))
    return refusal{errc::not_allowed,
                   "'" + in.scalar + "' is not " + allowed() + " (names are not resolved)"};
  out = in.scalar;
  return {};
}

verdict boolean_codec::parse(node const& in, value& out) {
  if (auto refused = require_scalar(in)) return refused;
  auto const parsed = parse_boolean(in.scalar);
  if (!parsed)
    return refusal{errc::wrong_type, "'" + in.scalar + "' is not a boolean; allowed: " + allowed()};
  out = *parsed;
  return {};
}

verdict fraction_codec::parse(node const& in, value& out) {
  if (auto refused = require_scalar(in)) return refused;
  auto const parsed = parse_fraction(in.scalar);
  if (!parsed) return refusal{errc::wrong_type, "'" + in.scalar + "' is not a number; allowed: " + allowed()};
  if (*parsed < 0 || *parsed > 1)
    return refusal{errc::out_of_range, in.scalar + " is out of range; allowed: " + allowed()};
  out = *parsed;
  return {};
}

std::string print_range(range bounds, bool size_units) {
  auto const text = [&](std::uint64_t v) { return size_units ? print_size(v) : std::to_string(v); };
  auto const numbers = bounds.max == std::numeric_limits<std::uint64_t>::max()
                           ? "at least " + text(bounds.min)
                           : text(bounds.min) + " to " + text(bounds.max);
  return size_units ? numbers + ", in bytes or with KB, MB, GB, KiB, MiB, GiB" : numbers;
}

verdict parse_bounded(node const& in, range bounds, bool size_units, std::uint64_t& out) {
  if (auto refused = require_scalar(in)) return refused;
  auto const number = size_units ? parse_size(in.scalar) : parse_unsigned(in.scalar);
  if (number.problem == errc::wrong_type)
    return refusal{errc::wrong_type, "'" + in.scalar + "' is not a " +
                                         (size_units ? "size" : "whole number") +
                                         "; allowed: " + print_range(bounds, size_units)};
  if (number.problem || number.value < bounds.min || number.value > bounds.max)
    return refusal{errc::out_of_range,
                   in.scalar + " is out of range; allowed: " + print_range(bounds, size_units)};
  out = number.value;
  return {};
}

verdict ip_ranges_codec::parse(node const& in, value& out) {
  if (!in.is(node::kind::list))
    return refusal{errc::wrong_type,
                   "expected a list of " + allowed() + ", found " + std::string(name_of(in.type))};
  value parsed;
  for (auto const& item : in.items) {
    if (auto refused = require_scalar(item)) return refused;
    if (!ip_network::parse(item.scalar))
      return refusal{errc::not_allowed, "'" + item.scalar + "' is not allowed; allowed: " + allowed()};
    parsed.push_back(item.scalar);
  }
  out = std::move(parsed);
  return {};
}

std::string ip_ranges_codec::print(value const& v) {
  std::string out;
  for (auto const& item : v) out += (out.empty() ? "" : ", ") + yaml_scalar(item);
  return "[" + out + "]";
}

}  // namespace profile_relay::config
