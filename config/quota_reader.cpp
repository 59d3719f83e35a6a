#include "config/quota_reader.hpp"

#include <optional>

#include "config/data_category.hpp"
#include "config/scalar_text.hpp"

namespace profile_relay::config {
namespace {

/// Empty = the quota is valid; otherwise the rule it breaks.
using broken_rule = std::optional<std::string>;

bool is_absent(node const* n) { return !n || n->is(node::kind::null); }

broken_rule read_text(node const& in, std::string_view key, std::string& out) {
  auto const* found = in.find(key);
  if (is_absent(found)) return {};
  if (!found->is(node::kind::text)) return std::string(key) + " must be text";
  out = found->scalar;
  return {};
}

broken_rule read_number(node const& in, std::string_view key, std::optional<std::uint64_t>& out) {
  auto const* found = in.find(key);
  if (is_absent(found)) return {};
  auto const number = parse_unsigned(found->scalar);
  if (!found->is(node::kind::number) || number.problem)
    return std::string(key) + " must be a whole number of at least 0";
  out = number.value;
  return {};
}

broken_rule read_scope(node const& in, quota& out) {
  std::string scope = "organization";
  if (auto broken = read_text(in, "scope", scope)) return broken;
  if (scope == "organization")
    out.scope = quota_scope::organization;
  else if (scope == "project")
    out.scope = quota_scope::project;
  else if (scope == "key")
    out.scope = quota_scope::key;
  else
    out.scope = quota_scope::most_specific;

  auto const* id = in.find("scopeId");
  if (is_absent(id)) return {};
  bool const scalar = id->is(node::kind::text) || id->is(node::kind::number);
  auto const number = parse_unsigned(id->scalar);
  // Such a quota matches nothing, so leaving it out is the same and can be told.
  if (!scalar || number.problem) return "scopeId is not a number, so the quota would match nothing";
  out.scope_id = number.value;
  return {};
}

broken_rule read_categories(node const& in, quota& out) {
  auto const* list = in.find("categories");
  if (is_absent(list)) return {};
  if (!list->is(node::kind::list)) return "categories must be a list of names";
  for (auto const& item : list->items) {
    if (!item.is(node::kind::text)) return "categories must be a list of names";
    if (unit_of_category(item.scalar)) out.categories.push_back(item.scalar);
  }
  // An empty list would mean every category: the opposite of naming none that exists.
  if (out.categories.empty() && !list->items.empty()) return "categories names only unknown categories";
  return {};
}

broken_rule check_counted(quota const& q) {
  if (q.id.empty()) return "id is required unless limit is 0";
  if (!q.window) return "window is required unless limit is 0";
  if (*q.window == 0) return "window must be at least 1 second";
  if (q.categories.empty()) return "a counted quota must name its categories";
  for (auto const& name : q.categories)
    if (unit_of_category(name) != unit_of_category(q.categories.front()))
      return "a counted quota must name categories of one unit, but " + q.categories.front() + " and " +
             name + " differ";
  return {};
}

broken_rule read_quota(node const& in, quota& out) {
  if (!in.is(node::kind::map)) return "expected an object, found " + std::string(name_of(in.type));
  if (auto broken = read_text(in, "id", out.id)) return broken;
  if (auto broken = read_categories(in, out)) return broken;
  if (auto broken = read_scope(in, out)) return broken;
  if (auto broken = read_number(in, "limit", out.limit)) return broken;
  if (auto broken = read_number(in, "window", out.window)) return broken;
  if (auto broken = read_text(in, "reasonCode", out.reason_code)) return broken;
  return out.limit == 0 ? broken_rule{} : check_counted(out);
}

}  // namespace

std::vector<quota> read_quotas(node const& list, std::string const& file_name,
                               std::vector<std::string>& warnings) {
  std::vector<quota> out;
  for (std::size_t i = 0; i < list.items.size(); ++i) {
    quota q;
    if (auto broken = read_quota(list.items[i], q))
      warnings.push_back(file_name + ":" + std::to_string(list.items[i].line) + ": config.quotas[" +
                         std::to_string(i) + "] is dropped: " + *broken);
    else
      out.push_back(std::move(q));
  }
  return out;
}

}  // namespace profile_relay::config
