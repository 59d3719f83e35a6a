#include <algorithm>
#include <limits>

#include "config/document.hpp"
#include "config/object_reader.hpp"
#include "config/project.hpp"
#include "config/quota_reader.hpp"
#include "config/scalar_text.hpp"

namespace profile_relay::config {
namespace {

constexpr std::string_view feature_continuous = "organizations:continuous-profiling";
constexpr std::string_view feature_perfetto = "organizations:continuous-profiling-perfetto";

bool is_key(std::string_view lower) {
  return lower.size() == 32 && std::all_of(lower.begin(), lower.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

/// One file on its way to a `project`. The first wrong type ends it; what is merely odd becomes a warning.
class project_parser {
 public:
  explicit project_parser(std::string_view file) : file_(file) {}

  result<parsed_project> parse(std::string_view text) {
    if (!read_file_name()) return *failure_;
    auto document = parse_json(file_, text);
    if (!document) return document.error();
    if (!document->is(node::kind::map))
      return error{errc::wrong_type, file_, document->line, "",
                   "a project file holds one JSON object, found " + std::string(name_of(document->type))};
    object_reader top(file_, "", *document, failure_);
    read_identity(top);
    read_keys(top);
    if (auto const* config = top.object("config")) {
      object_reader reader(file_, "config.", *config, failure_);
      read_config(reader);
    }
    if (failure_) return *failure_;
    return std::move(out_);
  }

 private:
  bool read_file_name() {
    std::string_view name = file_;
    if (auto const slash = name.rfind('/'); slash != std::string_view::npos) name.remove_prefix(slash + 1);
    bool const json = name.ends_with(".json");
    if (json) name.remove_suffix(5);
    auto const id = parse_unsigned(name);
    if (!json || id.problem) {
      failure_ = error{errc::not_a_project_file, file_, 0, "",
                       "skipped: a project file is named <PROJECT_ID>.json, with a number"};
      return false;
    }
    out_.value.id = id.value;
    return true;
  }

  void read_identity(object_reader& top) {
    auto& p = out_.value;
    if (auto const id = top.number("projectId")) {
      if (*id != p.id)
        warn(top.any("projectId")->line,
             "projectId " + std::to_string(*id) + " differs from the file's name and wins");
      p.id = *id;
    }
    p.organization_id = top.number("organizationId").value_or(0);
    if (p.organization_id == 0)
      warn(0, "organizationId is missing or 0: Sentry's consumers need it to store profiles");
    p.slug = top.text("slug").value_or("");
    p.disabled = top.boolean("disabled").value_or(false);
  }

  void read_keys(object_reader& top) {
    if (auto const* list = top.list("publicKeys"))
      for (std::size_t i = 0; i < list->items.size(); ++i)
        read_key(list->items[i], "publicKeys[" + std::to_string(i) + "]", top);
    if (out_.value.keys.empty()) warn(0, "publicKeys names no usable key: nobody can reach this project");
  }

  void read_key(node const& item, std::string const& where, object_reader& top) {
    if (!item.is(node::kind::map))
      return top.fail(errc::wrong_type, item.line, where,
                      "expected an object with publicKey, found " + std::string(name_of(item.type)));
    object_reader reader(file_, where + ".", item, failure_);
    public_key key;
    auto const text = reader.text("publicKey");
    key.numeric_id = reader.number("numericId");
    key.enabled = reader.boolean("isEnabled").value_or(true);
    if (failure_) return;
    if (!text)
      return reader.fail(errc::missing_value, item.line, "publicKey", "is required: 32 hexadecimal digits");
    key.key = to_lower(*text);
    if (!is_key(key.key)) return warn(item.line, where + ".publicKey is skipped: not 32 hexadecimal digits");
    auto const same = [&](public_key const& other) { return other.key == key.key; };
    auto& keys = out_.value.keys;
    if (std::any_of(keys.begin(), keys.end(), same))
      return warn(item.line, where + ".publicKey is skipped: it stands in this file already");
    keys.push_back(std::move(key));
  }

  void read_config(object_reader& config) {
    auto& p = out_.value;
    if (auto const* domains = config.list("allowedDomains"))
      p.allowed_domains = texts(*domains, "allowedDomains", config);
    if (auto const days = config.number("eventRetention", std::numeric_limits<std::uint16_t>::max()))
      p.retention_days = static_cast<std::uint16_t>(*days);
    if (auto const* features = config.list("features"))
      for (auto const& name : texts(*features, "features", config)) {
        if (name == feature_continuous) p.continuous_profiling = true;
        if (name == feature_perfetto) p.continuous_profiling_perfetto = true;
      }
    if (auto const* quotas = config.list("quotas")) p.quotas = read_quotas(*quotas, file_, out_.warnings);
    if (auto const* filters = config.object("filterSettings")) {
      object_reader reader(file_, "config.filterSettings.", *filters, failure_);
      read_filters(reader);
    }
  }

  void read_filters(object_reader& filters) {
    if (auto const* ips = filters.object("clientIps")) {
      object_reader reader(file_, "config.filterSettings.clientIps.", *ips, failure_);
      if (auto const* list = reader.list("blacklistedIps"))
        for (auto const& ip : texts(*list, "blacklistedIps", reader))
          if (!out_.value.blocked_ips.add(ip))
            warn(list->line, "config.filterSettings.clientIps.blacklistedIps: '" + ip +
                                 "' is skipped: not an IP address or range");
    }
    for (std::string_view const key : {"releases", "generic"})
      if (auto const* found = filters.any(key))
        warn(found->line,
             "config.filterSettings." + std::string(key) + " has no effect: such filters are not built yet");
  }

  std::vector<std::string> texts(node const& list, std::string const& key, object_reader& owner) {
    std::vector<std::string> out;
    for (auto const& item : list.items) {
      if (!item.is(node::kind::text))
        owner.fail(errc::wrong_type, item.line, key,
                   "expected a list of texts, found " + std::string(name_of(item.type)));
      out.push_back(item.scalar);
    }
    return out;
  }

  void warn(int line, std::string const& what) {
    out_.warnings.push_back(file_ + (line > 0 ? ":" + std::to_string(line) : "") + ": " + what);
  }

  std::string file_;
  parsed_project out_;
  std::optional<error> failure_;
};

}  // namespace

result<parsed_project> parse_project(std::string_view file_name, std::string_view text) {
  return project_parser(file_name).parse(text);
}

}  // namespace profile_relay::config
