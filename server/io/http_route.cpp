#include "server/io/http_route.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

namespace profile_relay::server {

namespace {

using kind = http_route::kind;

/// No route of ours, and none of Relay's we tell apart, is longer.
constexpr std::size_t max_parts = 8;

std::vector<std::string_view> split_path(std::string_view path) {
  std::vector<std::string_view> out;
  while (!path.empty() && out.size() < max_parts) {
    auto const end = path.find('/');
    if (end != 0) out.push_back(path.substr(0, end));
    path.remove_prefix(end == std::string_view::npos ? path.size() : end + 1);
  }
  return out;
}

std::optional<std::uint64_t> to_project_id(std::string_view text) {
  std::uint64_t value = 0;
  auto const [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (ec != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// The last parts of `/api/{project_id}/...` that Relay serves.
bool is_relays_own(std::string_view name) {
  constexpr std::array names{"store",       "security",    "csp-report", "minidump", "unreal",
                             "otlp",        "integration", "cron",       "nel",      "events",
                             "playstation", "upload",      "logs",       "profile"};
  return std::ranges::find(names, name) != names.end();
}

kind find_kind(std::vector<std::string_view> const& p, http_endpoint endpoint) {
  bool const internal = endpoint != http_endpoint::external;
  bool const external = endpoint != http_endpoint::internal;
  if (p.size() == 1 && p[0] == "metrics" && internal) return kind::metrics;
  if (p.size() < 2 || p[0] != "api") return kind::unknown;
  if (p.size() == 4 && p[1] == "relay" && p[2] == "healthcheck") {
    if (p[3] == "live") return kind::live;
    if (p[3] == "ready") return kind::ready;
  }
  if (p[1] == "relay") return kind::unknown;
  if (p.size() == 4 && p[1] == "0" && p[2] == "relays" && p[3] == "live") return kind::live;
  if (!external) return kind::unknown;
  if (p[1] == "0") return p.size() >= 3 && p[2] == "relays" ? kind::not_served : kind::unknown;
  if (p.size() == 2) return is_relays_own(p[1]) ? kind::not_served : kind::unknown;
  if (p.size() == 3 && p[2] == "envelope") return kind::envelope;
  return is_relays_own(p[2]) ? kind::not_served : kind::unknown;
}

}  // namespace

http_route find_route(std::string_view target, http_endpoint endpoint) {
  http_route out;
  // The absolute form, which only proxies use, names the host again.
  if (auto const scheme = target.find("://"); scheme != std::string_view::npos && !target.starts_with('/')) {
    auto const path = target.find('/', scheme + 3);
    target = path == std::string_view::npos ? std::string_view{"/"} : target.substr(path);
  }
  if (auto const fragment = target.find('#'); fragment != std::string_view::npos)
    target = target.substr(0, fragment);
  if (auto const query = target.find('?'); query != std::string_view::npos) {
    out.query = target.substr(query + 1);
    target = target.substr(0, query);
  }
  auto const parts = split_path(target);
  out.what = find_kind(parts, endpoint);
  if (out.what == kind::envelope) out.project_id = to_project_id(parts[1]);
  return out;
}

std::string_view allowed_methods(kind what) {
  switch (what) {
    case kind::envelope:
      return "POST, OPTIONS";
    case kind::live:
    case kind::ready:
    case kind::metrics:
      return "GET, HEAD";
    case kind::not_served:
    case kind::unknown:
      break;
  }
  return {};
}

}  // namespace profile_relay::server
