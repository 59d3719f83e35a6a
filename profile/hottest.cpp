#include "profile/hottest.hpp"

#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <charconv>
#include <limits>
#include <tuple>
#include <utility>

#include "profile/normalise.hpp"
#include "profile/read_json.hpp"

namespace profile_relay::profile {
namespace {

std::string file_name(std::string_view path) { return std::string(path.substr(path.rfind('/') + 1)); }

std::string name_of(sample_v2::frame const& f) {
  std::string name;
  if (f.function) {
    if (f.module && !f.module.text().empty()) name.append(*f.module).append(1, '.');
    return name.append(*f.function);
  }
  name = f.package ? file_name(*f.package) : f.filename ? std::string(*f.filename) : "unknown";
  if (f.instruction_addr) {
    char hex[16];
    const auto end = std::to_chars(hex, hex + sizeof hex, *f.instruction_addr, 16).ptr;
    name.append(" 0x").append(hex, end);
  }
  return name;
}

/// Self time of each frame.
std::vector<double> self_seconds(sample_v2::chunk const& c) {
  std::vector<double> seconds(c.frames.size());
  std::vector<sample_v2::sample const*> open(c.threads.size());
  for (auto const& s : c.samples) {
    if (auto const* before = std::exchange(open[s.thread], &s)) {
      const auto stack = c.stacks[before->stack];
      if (!stack.empty())
        seconds[stack.front()] +=
            sample_v2::seconds_of_time(s.time) - sample_v2::seconds_of_time(before->time);
    }
  }
  return seconds;
}

}  // namespace

result<profile_summary> summarise(envelope::padded_view payload, std::size_t functions) {
  read_limits no_limit;
  no_limit.max_frames = std::numeric_limits<std::size_t>::max();
  auto read = read_json(payload, no_limit);
  if (!read) return std::move(read).error();
  auto& c = *read;
  std::uint64_t dropped = 0;
  if (auto ok = normalise(c, dropped); !ok) return std::move(ok).error();

  profile_summary out;
  out.samples = c.samples.size();
  out.frames = c.frames.size();
  out.stacks = c.stacks.size();
  out.span_seconds =
      sample_v2::seconds_of_time(c.samples.back().time) - sample_v2::seconds_of_time(c.samples.front().time);
  std::vector<bool> alive(c.threads.size());
  for (auto const& s : c.samples) alive[s.thread] = true;
  out.threads = static_cast<std::size_t>(std::count(alive.begin(), alive.end(), true));

  const auto seconds = self_seconds(c);
  boost::unordered_flat_map<std::pair<std::string, std::string>, double> by_function;
  for (std::size_t i = 0; i < seconds.size(); ++i) {
    if (seconds[i] <= 0) continue;
    out.busy_seconds += seconds[i];
    by_function[{name_of(c.frames[i]), file_name(c.frames[i].package.text())}] += seconds[i];
  }
  for (auto const& [key, self] : by_function)
    out.hottest.push_back({key.first, key.second, self, self / out.busy_seconds});
  std::sort(out.hottest.begin(), out.hottest.end(), [](auto const& a, auto const& b) {
    return a.seconds != b.seconds ? a.seconds > b.seconds
                                  : std::tie(a.name, a.package) < std::tie(b.name, b.package);
  });
  if (out.hottest.size() > functions) out.hottest.resize(functions);
  return out;
}

}  // namespace profile_relay::profile
