#include "config/kafka_codecs.hpp"

#include <algorithm>
#include <array>

#include "config/codecs.hpp"

namespace profile_relay::config {
namespace {

constexpr std::array<std::string_view, 6> secret_parts{"password",    "secret",      "token",
                                                       "ssl.key.pem", "jaas.config", "oauthbearer.config"};

std::string entry_label(std::size_t index) { return "entry " + std::to_string(index + 1); }

/// The scalar under `key`, or a refusal that names the entry.
verdict take(node const& in, std::string_view key, std::string const& entry, std::string& out) {
  auto const* found = in.find(key);
  if (!found || found->is(node::kind::null))
    return refusal{errc::missing_value, entry + " has no '" + std::string(key) + "'"};
  if (auto refused = require_scalar(*found)) {
    refused->what = entry + ", '" + std::string(key) + "': " + refused->what;
    return refused;
  }
  out = found->scalar;
  return {};
}

verdict refuse_other_keys(node const& in, std::string_view first, std::string_view second,
                          std::string const& where) {
  for (auto const& key : in.keys)
    if (key != first && key != second)
      return refusal{errc::not_allowed, where + " has the key '" + key + "'; allowed: " + std::string(first) +
                                            ", " + std::string(second)};
  return {};
}

}  // namespace

bool is_secret_property(std::string_view name) {
  return std::any_of(secret_parts.begin(), secret_parts.end(),
                     [&](std::string_view part) { return name.find(part) != std::string_view::npos; });
}

verdict kafka_properties_codec::parse(node const& in, value& out) {
  if (!in.is(node::kind::list))
    return refusal{errc::wrong_type, "expected " + allowed() + "; found " + std::string(name_of(in.type))};
  value parsed;
  for (std::size_t i = 0; i < in.items.size(); ++i) {
    auto const& item = in.items[i];
    if (!item.is(node::kind::map))
      return refusal{errc::wrong_type, entry_label(i) + " is " + std::string(name_of(item.type)) +
                                           "; allowed: {name: ..., value: ...}"};
    if (auto refused = refuse_other_keys(item, "name", "value", entry_label(i))) return refused;
    std::pair<std::string, std::string> property;
    if (auto refused = take(item, "name", entry_label(i), property.first)) return refused;
    if (property.first.empty()) return refusal{errc::not_allowed, entry_label(i) + " has an empty 'name'"};
    if (auto refused = take(item, "value", entry_label(i), property.second)) return refused;
    parsed.push_back(std::move(property));
  }
  out = std::move(parsed);
  return {};
}

std::string kafka_properties_codec::print(value const& v) {
  std::string out;
  for (auto const& [name, text] : v) {
    auto const shown = is_secret_property(name) ? std::string("\"[redacted]\"") : yaml_scalar(text);
    out += (out.empty() ? "" : ", ") + ("{name: " + yaml_scalar(name) + ", value: " + shown + "}");
  }
  return "[" + out + "]";
}

verdict kafka_clusters_codec::parse(node const& in, value& out) {
  if (!in.is(node::kind::map))
    return refusal{errc::wrong_type, "expected " + allowed() + "; found " + std::string(name_of(in.type))};
  value parsed;
  for (std::size_t i = 0; i < in.items.size(); ++i) {
    kafka_properties properties;
    if (auto refused = kafka_properties_codec::parse(in.items[i], properties)) {
      refused->what = "'" + in.keys[i] + "': " + refused->what;
      return refused;
    }
    parsed[in.keys[i]] = std::move(properties);
  }
  out = std::move(parsed);
  return {};
}

std::string kafka_clusters_codec::print(value const& v) {
  std::string out;
  for (auto const& [name, properties] : v)
    out += (out.empty() ? "" : ", ") + (yaml_scalar(name) + ": " + kafka_properties_codec::print(properties));
  return "{" + out + "}";
}

verdict topic_codec::parse(node const& in, value& out) {
  value parsed;
  if (in.is(node::kind::list))
    return refusal{errc::wrong_type, "expected " + allowed() + "; found " + std::string(name_of(in.type))};
  if (in.is(node::kind::map)) {
    if (auto refused = refuse_other_keys(in, "name", "config", "the topic")) return refused;
    if (auto refused = take(in, "name", "the topic", parsed.name)) return refused;
    auto const* config = in.find("config");
    if (config && !config->is(node::kind::null))
      if (auto refused = take(in, "config", "the topic", parsed.kafka_config)) return refused;
  } else {
    parsed.name = in.scalar;
  }
  if (parsed.name.empty()) return refusal{errc::not_allowed, "a topic's name must not be empty"};
  out = std::move(parsed);
  return {};
}

std::string topic_codec::print(value const& v) {
  if (v.kafka_config.empty()) return yaml_scalar(v.name);
  return "{name: " + yaml_scalar(v.name) + ", config: " + yaml_scalar(v.kafka_config) + "}";
}

}  // namespace profile_relay::config
