#include <map>
#include <vector>

#include "config/environment_table.hpp"
#include "config/ignored_keys.hpp"
#include "config/load.hpp"
#include "config/option_table.hpp"

namespace profile_relay::config {
namespace {

/// Splits "a.b.c" into sections and leaf, and writes each section's line once as the rows go by.
class section_writer {
 public:
  explicit section_writer(std::string& out) : out_(out) {}

  /// Opens what `key` needs; returns the indentation of its leaf.
  std::string enter(std::string_view key) {
    std::vector<std::string> path;
    for (auto dot = key.find('.'); dot != std::string_view::npos; dot = key.find('.')) {
      path.emplace_back(key.substr(0, dot));
      key.remove_prefix(dot + 1);
    }
    std::size_t common = 0;
    while (common < path.size() && common < open_.size() && path[common] == open_[common]) ++common;
    for (std::size_t i = common; i < path.size(); ++i) {
      if (i == 0 && !out_.empty()) out_ += '\n';
      out_ += std::string(i * 2, ' ') + path[i] + ":\n";
    }
    open_ = path;
    return std::string(path.size() * 2, ' ');
  }

 private:
  std::string& out_;
  std::vector<std::string> open_;
};

std::string leaf_of(std::string const& key) { return key.substr(key.rfind('.') + 1); }

std::string default_text(option const& row) { return row.print(settings{}); }

/// Text for a table cell.
std::string cell(std::string_view text) {
  std::string out;
  for (char const c : text) {
    if (c == '|') out += '\\';
    out += c;
  }
  return out;
}

std::string code(std::string_view text) { return "`" + cell(text) + "`"; }

void append_options(std::string& out) {
  std::string section;
  for (auto const& row : option_table()) {
    auto const top = row.key.substr(0, row.key.find('.'));
    if (top != section) {
      section = top;
      out += "\n### " + section + "\n\n| key | kind | default | meaning |\n|---|---|---|---|\n";
    }
    auto const text = default_text(row);
    out += "| " + code(row.key) + " | " + row.kind + (row.allowed.empty() ? "" : ": " + cell(row.allowed));
    out += " | " + (text == "null" ? "not set: " + cell(row.when_unset) : code(text)) + " | ";
    out += cell(row.description) + " Example: " + code(row.example) + ".";
    if (row.secret) out += " Passwords in it are shown as `[redacted]`.";
    if (row.live) out += " Takes effect without a restart.";
    out += " |\n";
  }
}

void append_variables(std::string& out) {
  out +=
      "\n## Environment variables\n\nAn empty variable counts as absent unless its row says otherwise.\n\n";
  out += "| variable | sets | note |\n|---|---|---|\n";
  for (auto const& row : variable_table())
    out += "| " + code(row.name) + " | " + (row.key.empty() ? "" : code(row.key)) + " | " +
           cell(row.description) + " |\n";
}

void append_ignored(std::string& out) {
  out +=
      "\n## Keys of Relay without effect\n\n"
      "They are accepted, and one warning line at start names those present. A section stands for all its "
      "keys.\n\n"
      "| keys | why |\n|---|---|\n";
  std::vector<std::string_view> order;
  std::map<std::string_view, std::string> keys;
  for (auto const& row : ignored_keys()) {
    auto& list = keys[row.why];
    if (list.empty()) order.push_back(row.why);
    list += (list.empty() ? "" : ", ") + code(row.key);
  }
  for (auto const why : order) out += "| " + keys[why] + " | " + cell(why) + " |\n";
}

constexpr std::string_view introduction = R"(# Configuration

This file is generated from the option table (`profile-relay config docs`); do not edit it.

The configuration folder is `.relay`, or the one given with `-c DIR`. It holds `config.yml` (optional) and
`projects/<PROJECT_ID>.json`. What comes later wins: defaults, `config.yml`, environment variables, `--set key=value`.

- A key that is left empty keeps its default. `--set key=` clears an option that may be unset.
- Lists and maps on the command line are written as in YAML: `--set 'http.trusted_proxies=[10.0.0.0/8]'`.
- A size is a number of bytes or a number with a unit: KB, MB, GB are powers of 1000; KiB, MiB, GiB powers of 1024.
- In string values of `config.yml`, `${NAME}` is replaced by an environment variable and `${file:PATH}` by the text of
  a file without its last line break. `$${` writes a literal `${`; any other `$` stays as it is. A variable or file
  that does not exist stops the start.
- `config.yml` is read again every `cache.file_interval`: options that take effect without a restart do so, others that
  have changed are named in a warning. A file that cannot be used changes nothing and is an error in the log.
- An unknown key is a warning that names the nearest known one; a wrong value stops the start with file, line and key.

## Options
)";

}  // namespace

std::string default_config_text() {
  std::string out =
      "## Configuration of profile-relay. Everything is optional; the lines with one # show the defaults.\n"
      "## Remove \"# \" in front of a line to change it.\n";
  section_writer sections(out);
  for (auto const& row : option_table()) {
    auto const indent = sections.enter(row.key);
    out += indent + "## " + row.description + "\n";
    if (!row.allowed.empty()) out += indent + "## Allowed: " + row.allowed + ".\n";
    if (!row.when_unset.empty()) out += indent + "## When not set: " + row.when_unset + ".\n";
    out += indent + "## Example: " + row.example + "\n";
    out += indent + "# " + leaf_of(row.key) + ": " + default_text(row) + "\n";
  }
  return out;
}

std::string options_markdown() {
  std::string out(introduction);
  append_options(out);
  append_variables(out);
  append_ignored(out);
  return out;
}

std::string show(settings const& s) {
  std::string out;
  section_writer sections(out);
  for (auto const& row : option_table()) {
    auto const indent = sections.enter(row.key);
    out += indent + leaf_of(row.key) + ": " + row.print(s) + "\n";
  }
  return out;
}

}  // namespace profile_relay::config
