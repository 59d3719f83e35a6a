#pragma once

#include <map>
#include <string>
#include <string_view>

#include "config/option.hpp"
#include "config/settings.hpp"

namespace profile_relay::config {

/// True for librdkafka properties whose value nobody should read in a terminal or a log.
bool is_secret_property(std::string_view name);

/// A list of `{name: ..., value: ...}`; values keep their spelling. Refusals never repeat a value.
struct kafka_properties_codec {
  using value = kafka_properties;
  static constexpr bool structured = true;
  static std::string kind() { return "Kafka properties"; }
  static std::string allowed() {
    return "a list of {name: ..., value: ...}, passed to librdkafka as they are";
  }
  static verdict parse(node const& in, value& out);
  static std::string print(value const& v);
};

/// A map from a name to such a list.
struct kafka_clusters_codec {
  using value = std::map<std::string, kafka_properties>;
  static constexpr bool structured = true;
  static std::string kind() { return "map of Kafka properties"; }
  static std::string allowed() { return "a map from a name to a list of {name: ..., value: ...}"; }
  static verdict parse(node const& in, value& out);
  static std::string print(value const& v);
};

/// A topic's name, or `{name, config}` with the name of a secondary configuration.
struct topic_codec {
  using value = topic_name;
  static constexpr bool structured = true;
  static std::string kind() { return "topic"; }
  static std::string allowed() {
    return "a topic name, or {name: ..., config: NAME of secondary_kafka_configs}";
  }
  static verdict parse(node const& in, value& out);
  static std::string print(value const& v);
};

}  // namespace profile_relay::config
