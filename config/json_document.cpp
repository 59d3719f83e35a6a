#include <algorithm>
#include <cstddef>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>

#include "config/document.hpp"

namespace profile_relay::config {
namespace {

/// Tells how far the parser has read, which is how values get lines: the library's events carry no position.
struct counting_iterator {
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = char const*;
  using reference = char const&;

  char const* at;
  char const** furthest;

  reference operator*() const { return *at; }
  counting_iterator& operator++() {
    *furthest = ++at;
    return *this;
  }
  counting_iterator operator++(int) {
    auto old = *this;
    ++*this;
    return old;
  }
  bool operator==(counting_iterator const& o) const { return at == o.at; }
};

class tree_builder {
 public:
  tree_builder(std::string_view file, std::string_view text)
      : file_(file), begin_(text.data()), size_(text.size()), furthest_(text.data()), seen_(text.data()) {}

  counting_iterator first() { return {begin_, &furthest_}; }
  counting_iterator last() { return {begin_ + size_, &furthest_}; }

  // The names from here to parse_error are the parser's event interface.
  bool null() { return leaf(node::kind::null, {}); }
  bool boolean(bool v) { return leaf(node::kind::boolean, v ? "true" : "false"); }
  bool number_integer(std::int64_t v) { return leaf(node::kind::number, std::to_string(v)); }
  bool number_unsigned(std::uint64_t v) { return leaf(node::kind::number, std::to_string(v)); }
  bool number_float(double, std::string const& raw) { return leaf(node::kind::number, raw); }
  bool string(std::string& v) { return leaf(node::kind::text, std::move(v)); }
  bool binary(nlohmann::json::binary_t&) { return false; }
  bool key(std::string& k) {
    open_.back().keys.push_back(std::move(k));
    open_lines_.back() = current_line();
    return true;
  }
  bool start_object(std::size_t) { return open(node::kind::map); }
  bool start_array(std::size_t) { return open(node::kind::list); }
  bool end_object() { return close(); }
  bool end_array() { return close(); }
  bool parse_error(std::size_t position, std::string const&, nlohmann::json::exception const& e) {
    // The library's text starts with its own id in brackets.
    std::string_view what = e.what();
    if (auto const end = what.find("] "); end != std::string_view::npos) what.remove_prefix(end + 2);
    if (auto const detail = what.find(": ");
        what.starts_with("parse error") && detail != std::string_view::npos)
      what.remove_prefix(detail + 2);
    // It ends with what was read, any bytes and any length of them; the position says enough.
    what = what.substr(0, what.find("; last read: "));
    return fail(position > 0 ? position - 1 : 0, "not valid JSON: " + std::string(what));
  }

  result<node> take() {
    if (failure_) return *failure_;
    return std::move(root_);
  }

 private:
  int current_line() {
    line_ += static_cast<int>(std::count(seen_, furthest_, '\n'));
    seen_ = furthest_;
    return line_;
  }

  /// A value's line is its key's; in a list, where the parser stands.
  int line_for_value() {
    bool const keyed = !open_.empty() && open_.back().is(node::kind::map);
    return keyed ? open_lines_.back() : current_line();
  }

  bool leaf(node::kind k, std::string text) {
    node n;
    n.type = k;
    n.line = line_for_value();
    n.scalar = std::move(text);
    return put(std::move(n));
  }

  bool open(node::kind k) {
    if (open_.size() >= max_depth)
      return fail(static_cast<std::size_t>(furthest_ - begin_) - 1,
                  "nested deeper than " + std::to_string(max_depth) + " levels");
    node n;
    n.type = k;
    n.line = line_for_value();
    open_.push_back(std::move(n));
    open_lines_.push_back(0);
    return true;
  }

  bool close() {
    node done = std::move(open_.back());
    open_.pop_back();
    open_lines_.pop_back();
    return put(std::move(done));
  }

  bool put(node n) {
    if (++count_ > max_nodes)
      return fail(static_cast<std::size_t>(furthest_ - begin_) - 1,
                  "more than " + std::to_string(max_nodes) + " values");
    if (open_.empty())
      root_ = std::move(n);
    else
      open_.back().items.push_back(std::move(n));
    return true;
  }

  bool fail(std::size_t offset, std::string what) {
    std::string_view const before(begin_, std::min(offset, size_));
    auto const newline = before.rfind('\n');
    auto const column = newline == std::string_view::npos ? before.size() + 1 : before.size() - newline;
    int const line = 1 + static_cast<int>(std::count(before.begin(), before.end(), '\n'));
    failure_ =
        error{errc::syntax, file_, line, "", "column " + std::to_string(column) + ": " + std::move(what)};
    return false;
  }

  std::string file_;
  char const* begin_;
  std::size_t size_;
  char const* furthest_;
  char const* seen_;  ///< newlines before this are in line_
  int line_ = 1;
  std::size_t count_ = 0;
  std::vector<node> open_;
  std::vector<int> open_lines_;  ///< line of the last key of each open map
  node root_;
  std::optional<error> failure_;
};

}  // namespace

result<node> parse_json(std::string_view file_name, std::string_view text) {
  tree_builder builder(file_name, text);
  nlohmann::json::sax_parse(builder.first(), builder.last(), &builder);
  return builder.take();
}

}  // namespace profile_relay::config
