#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <map>
#include <sstream>

#include "config/document.hpp"

namespace profile_relay::config {
namespace {

int line_of(YAML::Mark const& mark) { return mark.is_null() ? 0 : mark.line + 1; }

struct extent {
  std::size_t values = 1;
  std::size_t levels = 1;
};

extent measure(node const& n) {
  extent out;
  std::size_t below = 0;
  for (auto const& item : n.items) {
    auto const inner = measure(item);
    out.values += inner.values;
    below = std::max(below, inner.levels);
  }
  out.levels += below;
  return out;
}

/// Builds the tree from the parser's events. The library's own tree is not used: reading several documents
/// into it never ends on some damaged texts, and it unfolds aliases without a bound.
class tree_builder final : public YAML::EventHandler {
 public:
  /// Leaves the parser from within an event; caught in parse_yaml.
  struct stop {
    int line;
    std::string what;
  };

  node take() { return std::move(root_); }

  void OnDocumentStart(YAML::Mark const& mark) override {
    if (++documents_ > 1) throw stop{line_of(mark), "only one YAML document is read, another starts here"};
  }
  void OnDocumentEnd() override {}

  void OnNull(YAML::Mark const& mark, YAML::anchor_t anchor) override {
    leaf(node::kind::null, mark, anchor, {});
  }
  void OnScalar(YAML::Mark const& mark, std::string const&, YAML::anchor_t anchor,
                std::string const& value) override {
    leaf(node::kind::text, mark, anchor, value);
  }
  void OnAlias(YAML::Mark const& mark, YAML::anchor_t anchor) override {
    auto const known = anchors_.find(anchor);
    if (known == anchors_.end()) throw stop{line_of(mark), "an alias stands inside the value it names"};
    auto const size = measure(known->second);
    admit(size.values, open_.size() + size.levels, line_of(mark));
    node copy = known->second;
    copy.line = line_of(mark);
    put(std::move(copy), 0);
  }
  void OnSequenceStart(YAML::Mark const& mark, std::string const&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(node::kind::list, mark, anchor);
  }
  void OnMapStart(YAML::Mark const& mark, std::string const&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(node::kind::map, mark, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapEnd() override { close(); }

 private:
  struct open_value {
    node value;
    YAML::anchor_t anchor = 0;
    bool has_key = false;  ///< a map whose last key still lacks its value
    int key_line = 0;
    std::map<std::string, int> first_line;  ///< where each key of a map stands
  };

  void leaf(node::kind kind, YAML::Mark const& mark, YAML::anchor_t anchor, std::string const& text) {
    admit(1, open_.size() + 1, line_of(mark));
    node n;
    n.type = kind;
    n.line = line_of(mark);
    n.scalar = text;
    put(std::move(n), anchor);
  }

  void open(node::kind kind, YAML::Mark const& mark, YAML::anchor_t anchor) {
    admit(1, open_.size() + 1, line_of(mark));
    open_value o;
    o.value.type = kind;
    o.value.line = line_of(mark);
    o.anchor = anchor;
    open_.push_back(std::move(o));
  }

  void close() {
    open_value done = std::move(open_.back());
    open_.pop_back();
    put(std::move(done.value), done.anchor);
  }

  void admit(std::size_t values, std::size_t levels, int line) {
    if (levels > max_depth) throw stop{line, "nested deeper than " + std::to_string(max_depth) + " levels"};
    count_ += values;
    if (count_ > max_nodes)
      throw stop{line, "more than " + std::to_string(max_nodes) + " values (aliases count each time)"};
  }

  void put(node n, YAML::anchor_t anchor) {
    if (anchor != 0) {
      admit(measure(n).values, 0, n.line);  // the copy that aliases are made from
      anchors_[anchor] = n;
    }
    if (open_.empty()) {
      root_ = std::move(n);
      return;
    }
    auto& parent = open_.back();
    if (parent.value.is(node::kind::map) && !parent.has_key) {
      take_key(parent, std::move(n));
      return;
    }
    // The key's line is where a person looks; a block value may start lines below it.
    if (parent.has_key) n.line = parent.key_line;
    parent.has_key = false;
    parent.value.items.push_back(std::move(n));
  }

  static void take_key(open_value& parent, node key) {
    if (!key.is(node::kind::text)) throw stop{key.line, "a key must be a single word"};
    auto const [it, fresh] = parent.first_line.emplace(key.scalar, key.line);
    if (!fresh)
      throw stop{key.line,
                 "the key '" + key.scalar + "' is given twice, first in line " + std::to_string(it->second)};
    parent.value.keys.push_back(std::move(key.scalar));
    parent.key_line = key.line;
    parent.has_key = true;
  }

  std::vector<open_value> open_;
  std::map<YAML::anchor_t, node> anchors_;
  node root_;
  std::size_t count_ = 0;
  int documents_ = 0;
};

}  // namespace

result<node> parse_yaml(std::string_view file_name, std::string_view text) {
  auto const fail = [&](int line, std::string what) {
    return error{errc::syntax, std::string(file_name), line, "", std::move(what)};
  };
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    tree_builder builder;
    // The second call only finds out whether there is more.
    if (parser.HandleNextDocument(builder)) parser.HandleNextDocument(builder);
    return builder.take();
  } catch (tree_builder::stop const& s) {
    return fail(s.line, s.what);
  } catch (YAML::Exception const& e) {
    return fail(line_of(e.mark), "not valid YAML: " + e.msg);
  }
}

}  // namespace profile_relay::config
