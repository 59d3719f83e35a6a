#include "server/io/inspection.hpp"

#include <algorithm>
#include <array>
#include <map>

#include "profile/expand.hpp"
#include "profile/normalise.hpp"
#include "server/io/inspect_verdict.hpp"

namespace profile_relay::server {

namespace {

using namespace perfetto_decode;

/// The decoder refuses a trace at its limits; the survey counts on, so that one sees by how much they are missed.
/// It keeps no packet, so only its time grows with them. The limit of one packet stays: a window holds it.
limits survey_limits() {
  limits lim;
  lim.packets = UINT32_MAX;
  lim.inflated_bytes = std::size_t{4} << 30;
  return lim;
}

/// What the server does with a decoded trace, but for the writing.
std::optional<profile::error> convert_and_normalise(inspection& to) {
  profile::expand_limits const lim;
  to.chunk.platform = "android";
  auto& counts = to.trace->counts;
  auto const converted =
      profile::convert(*to.trace, profile::limits_after(*to.trace, lim), to.chunk, to.conversion);
  counts.add(counter::image_without_range, to.conversion.image_without_range);
  counts.add(counter::image_without_build_id, to.conversion.image_without_build_id);
  if (!converted) return converted.error();
  auto const normal = profile::normalise(to.chunk, to.single_sample_thread);
  counts.add(counter::single_sample_thread, to.single_sample_thread);
  if (!normal) return normal.error();
  return std::nullopt;
}

}  // namespace

inspection inspect_trace(std::span<const std::byte> bytes) {
  inspection out;
  out.bytes = bytes.size();
  out.survey = take_survey(bytes, survey_limits());
  if (auto decoded = decode(bytes)) {
    out.trace = std::move(*decoded);
    out.rejection = convert_and_normalise(out);
  } else {
    out.rejection = profile::refusal_of(decoded.error());
  }
  out.verdict = verdict_of(out);
  return out;
}

std::vector<task_samples> samples_by_task(decoded_trace const& t) {
  std::vector<task_samples> rows(t.tasks.size());
  for (std::uint32_t i = 0; i < rows.size(); ++i) rows[i].task = i;
  for (auto const& s : t.samples)
    if (s.task != none) ++rows[s.task].samples;
  std::erase_if(rows, [](task_samples const& r) { return r.samples == 0; });
  std::ranges::stable_sort(rows, std::greater{}, &task_samples::samples);
  return rows;
}

std::vector<process_samples> samples_by_process(decoded_trace const& t) {
  std::map<std::tuple<std::uint32_t, bool, std::int64_t>, process_samples> by_key;
  for (auto const& row : samples_by_task(t)) {
    auto const& task = t.tasks[row.task];
    auto& p = by_key[{task.machine, task.has_pid, task.pid}];
    p.machine = task.machine;
    p.has_pid = task.has_pid;
    p.pid = task.pid;
    if (p.name.empty()) p.name = task.process_name;
    ++p.threads;
    p.samples += row.samples;
  }
  std::vector<process_samples> rows;
  for (auto const& [key, p] : by_key) rows.push_back(p);
  std::ranges::stable_sort(rows, std::greater{}, &process_samples::samples);
  return rows;
}

std::optional<std::pair<std::int64_t, std::int64_t>> wall_range(decoded_trace const& t) {
  std::optional<std::pair<std::int64_t, std::int64_t>> range;
  for (auto const& s : t.samples) {
    if (!s.has_wall_time) continue;
    if (!range) range = {s.wall_time, s.wall_time};
    range->first = std::min(range->first, s.wall_time);
    range->second = std::max(range->second, s.wall_time);
  }
  return range;
}

std::vector<std::pair<std::string_view, std::uint64_t>> unwind_errors(counters const& c) {
  auto const names = perfetto_decode::unwind_error_names();
  std::vector<std::pair<std::string_view, std::uint64_t>> rows;
  for (std::size_t i = 0; i < names.size(); ++i)
    if (c.unwind_errors[i] != 0) rows.emplace_back(names[i], c.unwind_errors[i]);
  return rows;
}

}  // namespace profile_relay::server
