#include "config/load.hpp"

#include "config/environment_table.hpp"
#include "config/file_reader.hpp"
#include "config/ignored_keys.hpp"
#include "config/option_table.hpp"

namespace profile_relay::config {
namespace {

std::optional<error> apply_override(std::string const& key, std::string const& text, settings& s,
                                    std::string& ignored) {
  auto const fail = [&](errc code, std::string const& what) { return error{code, "", 0, key, what}; };
  auto const* row = find_option(key);
  if (!row) {
    if (auto const* known = find_ignored(key)) {
      append_ignored_name(ignored, "--set " + key, known);
      return {};
    }
    return fail(errc::not_allowed,
                "unknown key; the nearest known key is '" + std::string(nearest_key(key)) + "'");
  }
  node value = node::of_text(text);
  if (row->structured) {
    auto parsed = parse_yaml("", text);
    if (!parsed) return fail(parsed.error().code, parsed.error().what);
    value = std::move(*parsed);
  }
  if (auto refused = row->set(s, value)) return fail(refused->code, refused->what);
  return {};
}

/// What no single row can check: a topic must name a configuration that exists.
std::optional<error> check_topics(settings const& s, file_reader const& reader) {
  std::pair<std::string, topic_name const&> const topics[] = {
      {"processing.topics.profiles", s.processing.profiles},
      {"processing.topics.outcomes", s.processing.outcomes},
  };
  for (auto const& [key, topic] : topics) {
    auto const& known = s.processing.secondary_kafka_configs;
    if (topic.kafka_config.empty() || known.count(topic.kafka_config) != 0) continue;
    std::string names;
    for (auto const& [name, properties] : known) names += (names.empty() ? "" : ", ") + name;
    int const line = reader.line_of(key);
    return error{errc::not_allowed, line > 0 ? reader.file() : "", line, key,
                 "config '" + topic.kafka_config +
                     "' is not in processing.secondary_kafka_configs; there is: " +
                     (names.empty() ? "nothing" : names)};
  }
  return {};
}

}  // namespace

result<loaded> load(std::filesystem::path const& config_dir, std::optional<std::string_view> config_text,
                    environment const& env, std::map<std::string, std::string> const& overrides) {
  loaded out;
  out.values.config_dir = config_dir;
  file_reader reader((config_dir / "config.yml").string(), env, out.values);
  if (config_text)
    if (auto failed = reader.read(*config_text)) return *failed;
  out.warnings = reader.take_warnings();
  if (auto failed = apply_variables(env, out.values, out.warnings)) return *failed;
  auto ignored = reader.ignored();
  for (auto const& [key, text] : overrides)
    if (auto failed = apply_override(key, text, out.values, ignored)) return *failed;
  if (!ignored.empty()) out.warnings.push_back("keys of Relay without effect here: " + ignored);
  if (auto failed = check_topics(out.values, reader)) return *failed;

  auto& spool = out.values.spool.path;
  if (spool.empty()) spool = "spool";
  if (spool.is_relative()) spool = config_dir / spool;
  return out;
}

}  // namespace profile_relay::config
