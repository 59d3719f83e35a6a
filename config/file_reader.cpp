#include "config/file_reader.hpp"

#include "config/ignored_keys.hpp"
#include "config/option_table.hpp"
#include "config/substitution.hpp"

namespace profile_relay::config {

std::optional<error> file_reader::read(std::string_view text) {
  auto document = parse_yaml(file_, text);
  if (!document) return document.error();
  if (document->is(node::kind::null)) return {};
  if (!document->is(node::kind::map))
    return fail(errc::wrong_type, document->line, "",
                "expected a map of sections, found " + std::string(name_of(document->type)));
  return read_section(*document, "");
}

std::optional<error> file_reader::read_section(node const& section, std::string const& prefix) {
  for (std::size_t i = 0; i < section.items.size(); ++i)
    if (auto failed = read_entry(section.items[i], prefix + section.keys[i])) return failed;
  return {};
}

std::optional<error> file_reader::read_entry(node const& value, std::string const& key) {
  if (auto const* row = find_option(key)) {
    if (value.is(node::kind::null)) return {};  // a key left empty keeps its default
    node filled = value;
    auto refused = substitute_all(filled, env_, target_.config_dir);
    if (!refused) refused = row->set(target_, filled);
    if (refused) return fail(refused->code, value.line, key, std::move(refused->what));
    lines_[key] = value.line;
    return {};
  }
  if (is_section(key)) {
    if (value.is(node::kind::null)) return {};
    if (!value.is(node::kind::map))
      return fail(errc::wrong_type, value.line, key,
                  "this is a section: expected a map of keys, found " + std::string(name_of(value.type)));
    return read_section(value, key + ".");
  }
  if (auto const* known = find_ignored(key)) {
    append_ignored_name(ignored_, key, known);
    return {};
  }
  warnings_.push_back(file_ + ":" + std::to_string(value.line) + ": unknown key '" + key +
                      "' is ignored; the nearest known key is '" + std::string(nearest_key(key)) + "'");
  return {};
}

int file_reader::line_of(std::string_view key) const {
  auto const it = lines_.find(key);
  return it == lines_.end() ? 0 : it->second;
}

error file_reader::fail(errc code, int line, std::string const& key, std::string what) const {
  return error{code, file_, line, key, std::move(what)};
}

}  // namespace profile_relay::config
