#include "config/environment_table.hpp"

#include <array>

#include "config/ignored_keys.hpp"
#include "config/option_table.hpp"
#include "config/scalar_text.hpp"

namespace profile_relay::config {
namespace {

constexpr std::array rows{
    variable_row{"RELAY_MODE", variable_effect::set, "relay.mode", "only static is served"},
    variable_row{"RELAY_HOST", variable_effect::set, "relay.host", ""},
    variable_row{"RELAY_PORT", variable_effect::set, "relay.port", ""},
    variable_row{"RELAY_PROCESSING_ENABLED", variable_effect::set_strict, "processing.enabled",
                 "true or 1; false, 0 or empty"},
    variable_row{"RELAY_KAFKA_BROKER_URL", variable_effect::broker, "processing.kafka_config",
                 "adds or replaces bootstrap.servers"},
    variable_row{"SHUTDOWN_TIMEOUT", variable_effect::set, "limits.shutdown_timeout",
                 "seconds; no RELAY_ prefix"},
    variable_row{"RELAY_SOURCE_ID", variable_effect::set, "outcomes.source", ""},
    variable_row{"RELAY_LOG_LEVEL", variable_effect::set, "logging.level", ""},
    variable_row{"RELAY_LOG_FORMAT", variable_effect::set, "logging.format", ""},
    variable_row{"RELAY_REDIS_URL", variable_effect::ignore, "processing.redis", "accepted with a warning"},
    variable_row{"RELAY_UPSTREAM_URL", variable_effect::ignore, "", "ignored with a warning"},
    variable_row{"RELAY_UPSTREAM_DSN", variable_effect::ignore, "", "ignored with a warning"},
    variable_row{"RELAY_ID", variable_effect::ignore, "", "ignored with a warning"},
    variable_row{"RELAY_PUBLIC_KEY", variable_effect::ignore, "", "ignored with a warning"},
    variable_row{"RELAY_SECRET_KEY", variable_effect::ignore, "", "ignored with a warning"},
};

verdict set_strict(option const& row, settings& s, std::string const& text) {
  auto const lower = to_lower(text);
  if (lower == "true" || lower == "1") return row.set(s, node::of_text("true"));
  if (lower == "false" || lower == "0" || lower.empty()) return row.set(s, node::of_text("false"));
  return refusal{errc::not_allowed, "'" + text + "' is not one of: true, 1, false, 0 or empty"};
}

void set_broker(settings& s, std::string const& servers) {
  auto& properties = s.processing.kafka_config;
  // librdkafka knows this property under two names; one left over would fight with ours.
  std::erase_if(properties, [](auto const& property) {
    return property.first == "bootstrap.servers" || property.first == "metadata.broker.list";
  });
  properties.emplace_back("bootstrap.servers", servers);
}

}  // namespace

std::span<variable_row const> variable_table() { return rows; }

std::optional<error> apply_variables(environment const& env, settings& s,
                                     std::vector<std::string>& warnings) {
  if (!env.variable) return {};
  std::string ignored;
  for (auto const& row : rows) {
    auto const text = env.variable(std::string(row.name));
    if (!text || (text->empty() && row.effect != variable_effect::set_strict)) continue;
    verdict refused;
    switch (row.effect) {
      case variable_effect::set:
        refused = find_option(row.key)->set(s, node::of_text(*text));
        break;
      case variable_effect::set_strict:
        refused = set_strict(*find_option(row.key), s, *text);
        break;
      case variable_effect::broker:
        set_broker(s, *text);
        break;
      case variable_effect::ignore:
        append_ignored_name(ignored, row.name, row.key.empty() ? nullptr : find_ignored(row.key));
        break;
    }
    if (refused)
      return error{refused->code, "", 0, std::string(row.name),
                   refused->what + " (sets " + std::string(row.key) + ")"};
  }
  if (!ignored.empty()) warnings.push_back("environment variables of Relay without effect here: " + ignored);
  return {};
}

}  // namespace profile_relay::config
