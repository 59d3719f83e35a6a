#include <boost/unordered/unordered_flat_set.hpp>

#include "profile/read_json.hpp"

namespace profile_relay::profile {

namespace dom = simdjson::dom;

namespace {

/// A string or a number, as SDKs differ.
bool read_elapsed(dom::element e, sample_v2::measurement_value& to, json_fault& fault) {
  if (e.is_null()) return true;
  std::string_view text;
  std::uint64_t number = 0;
  if (!e.get(text)) {
    to.elapsed_text = text;
  } else if (!e.get(number)) {
    to.elapsed_number = number;
  } else {
    return fault.set("wrong_type", "must be a string or a non-negative integer");
  }
  return true;
}

bool read_measured(dom::element e, sample_v2::measurement_value& to, json_fault& fault) {
  dom::object object;
  if (!read_value(e, object, fault)) return false;
  seen_keys seen;
  for (const auto& [name, value] : object) {
    bool ok = true;
    if (name == "timestamp") {
      ok = seen.once(0, fault) && read_value(value, to.timestamp, fault) &&
           (to.timestamp >= 0 || fault.set("bad_timestamp", "must not be negative"));
    } else if (name == "value") {
      ok = seen.once(1, fault) && read_value(value, to.value, fault);
    } else if (name == "elapsed_since_start_ns") {
      ok = seen.once(2, fault) && read_elapsed(value, to, fault);
    }
    if (!ok) return fault.in(name);
  }
  return (seen.has(0) && seen.has(1)) || fault.set("missing_key", "must have a timestamp and a value");
}

bool read_values(dom::element e, sample_v2::measurement& to, json_fault& fault) {
  dom::array values;
  if (!read_value(e, values, fault)) return false;
  to.values.reserve(values.size());
  for (const dom::element v : values)
    if (!read_measured(v, to.values.emplace_back(), fault)) return fault.in(to.values.size() - 1);
  return true;
}

bool read_measurement(dom::element e, sample_v2::measurement& to, json_fault& fault) {
  dom::object object;
  if (!read_value(e, object, fault)) return false;
  seen_keys seen;
  for (const auto& [name, value] : object) {
    bool ok = true;
    if (name == "unit") {
      ok = seen.once(0, fault) && read_value(value, to.unit, fault);
    } else if (name == "values") {
      ok = seen.once(1, fault) && read_values(value, to, fault);
    }
    if (!ok) return fault.in(name);
  }
  return (seen.has(0) && seen.has(1)) || fault.set("missing_key", "must have a unit and values");
}

}  // namespace

bool read_measurements(dom::element e, sample_v2::chunk& to, json_fault& fault) {
  if (e.is_null()) return true;
  dom::object object;
  if (!read_value(e, object, fault)) return false;
  boost::unordered_flat_set<std::string_view> names;
  for (const auto& [name, value] : object) {
    const auto n = to.measurements.size();
    if (!names.insert(name).second)
      return fault.set("duplicate_key", "has the name of an earlier one") || fault.in(n);
    auto& m = to.measurements.emplace_back();
    m.name = name;
    if (!read_measurement(value, m, fault)) return fault.in(n);
  }
  return true;
}

}  // namespace profile_relay::profile
