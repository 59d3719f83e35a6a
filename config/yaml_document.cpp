#include <yaml-cpp/yaml.h>

#include <map>
#include <optional>

#include "config/document.hpp"

namespace profile_relay::config {
namespace {

int line_of(YAML::Mark const& mark) { return mark.is_null() ? 0 : mark.line + 1; }

class converter {
 public:
  explicit converter(std::string_view file) : file_(file) {}

  result<node> convert(YAML::Node const& in, int depth) {
    if (depth > max_depth)
      return fail(in.Mark(), "nested deeper than " + std::to_string(max_depth) + " levels");
    if (++count_ > max_nodes)
      return fail(in.Mark(), "more than " + std::to_string(max_nodes) + " values (aliases count each time)");
    node out;
    out.line = line_of(in.Mark());
    switch (in.Type()) {
      case YAML::NodeType::Undefined:
      case YAML::NodeType::Null:
        return out;
      case YAML::NodeType::Scalar:
        out.type = node::kind::text;
        out.scalar = in.Scalar();
        return out;
      case YAML::NodeType::Sequence:
        return list(in, std::move(out), depth);
      case YAML::NodeType::Map:
        return map(in, std::move(out), depth);
    }
    return out;
  }

 private:
  result<node> list(YAML::Node const& in, node out, int depth) {
    out.type = node::kind::list;
    for (auto const& item : in) {
      auto converted = convert(item, depth + 1);
      if (!converted) return converted.error();
      out.items.push_back(std::move(*converted));
    }
    return out;
  }

  result<node> map(YAML::Node const& in, node out, int depth) {
    out.type = node::kind::map;
    std::map<std::string, int> first_line;
    for (auto const& entry : in) {
      if (!entry.first.IsScalar()) return fail(entry.first.Mark(), "a key must be a single word");
      std::string key = entry.first.Scalar();
      int const line = line_of(entry.first.Mark());
      auto const [it, fresh] = first_line.emplace(key, line);
      if (!fresh)
        return fail(entry.first.Mark(),
                    "the key '" + key + "' is given twice, first in line " + std::to_string(it->second));
      auto converted = convert(entry.second, depth + 1);
      if (!converted) return converted.error();
      // The key's line is where a person looks; a block value may start lines below it.
      converted->line = line;
      out.keys.push_back(std::move(key));
      out.items.push_back(std::move(*converted));
    }
    return out;
  }

  error fail(YAML::Mark const& mark, std::string what) const {
    return error{errc::syntax, file_, line_of(mark), "", std::move(what)};
  }

  std::string file_;
  std::size_t count_ = 0;
};

}  // namespace

result<node> parse_yaml(std::string_view file_name, std::string_view text) {
  try {
    auto const documents = YAML::LoadAll(std::string(text));
    if (documents.empty()) return node{};
    if (documents.size() > 1)
      return error{errc::syntax, std::string(file_name), line_of(documents[1].Mark()), "",
                   "only one YAML document is read, found " + std::to_string(documents.size())};
    return converter(file_name).convert(documents.front(), 1);
  } catch (YAML::Exception const& e) {
    return error{errc::syntax, std::string(file_name), line_of(e.mark), "", "not valid YAML: " + e.msg};
  }
}

}  // namespace profile_relay::config
