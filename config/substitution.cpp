#include "config/substitution.hpp"

namespace profile_relay::config {
namespace {

constexpr std::string_view escape_hint = "; write $${ for a literal ${";

verdict replacement(std::string_view name, environment const& env, std::filesystem::path const& config_dir,
                    std::string& out) {
  if (name.starts_with("file:")) {
    std::filesystem::path path(name.substr(5));
    if (path.empty()) return refusal{errc::missing_variable, "${file:} names no file"};
    if (path.is_relative()) path = config_dir / path;
    auto text = env.read_file ? env.read_file(path) : std::nullopt;
    if (!text)
      return refusal{errc::missing_variable, "${" + std::string(name) + "}: cannot read " + path.string()};
    if (text->ends_with('\n')) text->pop_back();
    if (text->ends_with('\r')) text->pop_back();
    out += *text;
    return {};
  }
  if (name.empty())
    return refusal{errc::missing_variable, "${} names no variable" + std::string(escape_hint)};
  auto const value = env.variable ? env.variable(std::string(name)) : std::nullopt;
  if (!value)
    return refusal{errc::missing_variable, "the environment variable " + std::string(name) + " is not set" +
                                               std::string(escape_hint)};
  out += *value;
  return {};
}

}  // namespace

verdict substitute(std::string_view text, environment const& env, std::filesystem::path const& config_dir,
                   std::string& out) {
  out.clear();
  while (!text.empty()) {
    if (text.starts_with("$${")) {
      out += "${";
      text.remove_prefix(3);
    } else if (text.starts_with("${")) {
      auto const end = text.find('}');
      if (end == std::string_view::npos)
        return refusal{errc::syntax, "'${' without a closing '}'" + std::string(escape_hint)};
      if (auto refused = replacement(text.substr(2, end - 2), env, config_dir, out)) return refused;
      text.remove_prefix(end + 1);
    } else {
      out += text.front();
      text.remove_prefix(1);
    }
  }
  return {};
}

verdict substitute_all(node& value, environment const& env, std::filesystem::path const& config_dir) {
  if (value.is(node::kind::text) && value.scalar.find('$') != std::string::npos) {
    std::string replaced;
    if (auto refused = substitute(value.scalar, env, config_dir, replaced)) return refused;
    value.scalar = std::move(replaced);
  }
  for (auto& item : value.items)
    if (auto refused = substitute_all(item, env, config_dir)) return refused;
  return {};
}

}  // namespace profile_relay::config
