#include "server/core/rate_limiter.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <optional>

namespace profile_relay::server {

namespace {

using config::quota;
using config::quota_scope;

/// Relay's waiting time for a quota of limit 0, which has no window to wait for (contract 6).
constexpr std::uint32_t static_retry_s = 60;
constexpr std::size_t max_header = 4096;

/// An unknown scope is taken for the most specific one there is.
quota_scope effective(quota_scope s) { return s == quota_scope::most_specific ? quota_scope::key : s; }

std::string_view name_of(quota_scope s) {
  constexpr std::array<std::string_view, 3> names{"organization", "project", "key"};
  return names[static_cast<std::size_t>(effective(s))];
}

/// The number that `scopeId` is compared with; absent = this request has none.
std::optional<std::uint64_t> instance_id(quota const& q, project_scope const& scope) {
  switch (effective(q.scope)) {
    case quota_scope::organization:
      return scope.project->organization_id;
    case quota_scope::project:
      return scope.project->id;
    default:
      return scope.key != nullptr ? scope.key->numeric_id : std::nullopt;
  }
}

bool matches(quota const& q, project_scope const& scope, std::string_view category) {
  if (!q.categories.empty() && std::ranges::find(q.categories, category) == q.categories.end()) return false;
  return !q.scope_id || instance_id(q, scope) == q.scope_id;
}

/// One counter for all categories of a quota. A key may lack its number, so its text names it. The id stands
/// last, because it may contain anything.
std::string key_of(quota const& q, project_scope const& scope) {
  auto const s = effective(q.scope);
  std::string key{name_of(s)};
  key += '/';
  if (s == quota_scope::key)
    key += scope.key != nullptr ? scope.key->key : std::string{};
  else
    key += std::to_string(instance_id(q, scope).value_or(0));
  return key + '/' + std::to_string(*q.window) + '/' + q.id;
}

quota_counter counter_of(quota const& q, project_scope const& scope, std::uint64_t now_s) {
  auto const slot = now_s / *q.window;
  return {key_of(q, scope), slot, slot * *q.window + *q.window, q.limit};
}

rate_limit limit_of(quota const& q, std::uint32_t retry_s) {
  return {retry_s, q.categories, effective(q.scope), q.reason_code, q.id};
}

std::string line_of(rate_limit const& l) {
  std::string out = std::to_string(l.retry_s) + ':';
  for (auto const& c : l.categories) {
    if (out.back() != ':') out += ';';
    out += c;
  }
  out += ':';
  out += name_of(l.scope);
  if (l.reason_code.empty()) return out;
  out += ':';
  for (char const c : l.reason_code) {
    bool const plain = c > ' ' && c <= '~' && c != ':' && c != ';' && c != ',';
    out += plain ? c : '_';
  }
  return out;
}

}  // namespace

rate_limits rate_limiter::check(project_scope const& scope, envelope::data_category category,
                                std::uint64_t now_s, act what) const {
  rate_limits out;
  std::vector<quota_counter> counters;
  std::vector<quota const*> counted;
  auto const name = envelope::category_name(category);
  for (auto const& q : scope.project->quotas) {
    if (!matches(q, scope, name)) continue;
    if (q.limit == 0) {
      out.push_back(limit_of(q, static_retry_s));
    } else if (q.window && *q.window > 0) {
      counters.push_back(counter_of(q, scope, now_s));
      counted.push_back(&q);
    }
  }
  if (!out.empty() || counters.empty()) return out;
  auto const full = counters_.check(counters, now_s, what);
  for (std::size_t i = 0; i < counters.size(); ++i) {
    if (!full[i]) continue;
    // The end is a whole second, so the whole seconds of now give the rest rounded up.
    auto const left = counters[i].end_s - now_s;
    out.push_back(
        limit_of(*counted[i], static_cast<std::uint32_t>(std::min<std::uint64_t>(left, max_retry_s_))));
  }
  return out;
}

rate_limit const& longest(rate_limits const& limits) {
  return *std::ranges::max_element(limits, {}, &rate_limit::retry_s);
}

void merge(rate_limits& into, rate_limits const& more) {
  for (auto const& l : more) {
    auto const same = std::ranges::find_if(into, [&](rate_limit const& o) {
      return o.scope == l.scope && o.reason_code == l.reason_code && o.categories == l.categories;
    });
    if (same == into.end())
      into.push_back(l);
    else
      same->retry_s = std::max(same->retry_s, l.retry_s);
  }
}

std::string header_text(rate_limits const& limits) {
  std::vector<std::string> lines;
  std::size_t size = 0;
  for (auto const& l : limits) {
    lines.push_back(line_of(l));
    size += lines.back().size() + 2;
  }
  std::vector<std::size_t> order(limits.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  if (size > max_header)
    std::ranges::stable_sort(order, std::greater{}, [&](std::size_t i) { return limits[i].retry_s; });
  std::string out;
  for (auto const i : order) {
    if (out.size() + lines[i].size() + 2 > max_header) continue;
    if (!out.empty()) out += ", ";
    out += lines[i];
  }
  return out;
}

}  // namespace profile_relay::server
