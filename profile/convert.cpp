#include "profile/convert.hpp"

#include <algorithm>
#include <boost/unordered/unordered_flat_set.hpp>
#include <string>
#include <vector>

#include "profile/convert_frames.hpp"
#include "profile/convert_images.hpp"
#include "profile/convert_threads.hpp"

namespace profile_relay::profile {

using perfetto_decode::counter;
using perfetto_decode::decoded_trace;
using perfetto_decode::none;
using sample_v2::chunk;

namespace {

class converter {
 public:
  converter(decoded_trace const& trace, convert_limits const& lim, chunk& to, convert_counts& counts)
      : trace_(trace),
        lim_(lim),
        to_(to),
        counts_(counts),
        stack_of_(trace.stacks.size(), none),
        images_(trace, to) {}

  boost::system::result<void, error> run();

 private:
  struct stack_hash {
    converter const* c;
    std::size_t operator()(std::uint32_t i) const { return c->stack_hashes_[i]; }
  };
  struct stack_equal {
    converter const* c;
    bool operator()(std::uint32_t a, std::uint32_t b) const {
      const auto x = c->to_.stacks[a], y = c->to_.stacks[b];
      return std::equal(x.begin(), x.end(), y.begin(), y.end());
    }
  };

  error nothing_to_show() const;
  std::uint64_t stack_entries() const;
  void place_samples();
  frame_list::options frame_options() const;
  std::uint32_t stack(std::uint32_t decoded, frame_list& frames);
  void count_foreign(std::uint32_t first_task);

  decoded_trace const& trace_;
  convert_limits const& lim_;
  chunk& to_;
  convert_counts& counts_;
  std::vector<std::uint32_t> stack_of_;  ///< by decoded stack
  std::vector<std::uint64_t> stack_hashes_;
  perfetto_decode::hash_seed seed_ = perfetto_decode::seed_of(this);
  std::vector<std::uint64_t> samples_of_task_ = std::vector<std::uint64_t>(trace_.tasks.size());
  image_list images_;
};

/// The finer causes behind a trace that has no sample to show.
error converter::nothing_to_show() const {
  const auto clock_failures = trace_.counts[counter::clock_sync_failure_unknown_source_clock] +
                              trace_.counts[counter::clock_sync_failure_unknown_target_clock] +
                              trace_.counts[counter::clock_sync_failure_no_path];
  if (!trace_.samples.empty() || clock_failures != 0) {
    if (!trace_.has_clock_snapshot)
      return {errc::invalid_sampled_profile, "missing_clock_snapshot",
              "the trace has samples but no clock snapshot that would place them in time", 0};
    return {errc::invalid_sampled_profile, "no_usable_clock",
            "the trace has samples but no clock snapshot leads from their clock to REALTIME", 0};
  }
  if (trace_.sample_records == 0)
    return {errc::not_enough_samples, "no_samples",
            "the trace has no sample among its " + std::to_string(trace_.packets) + " packets", 0};
  return {errc::not_enough_samples, "no_emitted_samples",
          "none of the trace's " + std::to_string(trace_.sample_records) +
              " sample records is CPU time with a stack",
          0};
}

/// Of all stacks, inlined frames included: no more can be emitted.
std::uint64_t converter::stack_entries() const {
  if (trace_.lines.empty()) return trace_.stack_frames;
  std::uint64_t n = 0;
  for (auto const& s : trace_.stacks)
    for (const auto f : s.frames()) n += std::max<std::uint64_t>(1, trace_.frames[f].line_count);
  return n;
}

/// Copies the samples that can be shown, with the trace's own stack and task numbers, in order of wall time.
void converter::place_samples() {
  to_.times = sample_v2::time_form::nanoseconds;
  to_.samples.reserve(trace_.samples.size());
  std::int64_t last = 0;
  bool sorted = true;
  for (auto const& s : trace_.samples) {
    if (!s.has_wall_time || s.wall_time <= 0 || s.stack >= trace_.stacks.size()) {
      ++counts_.unplaced_samples;
      continue;
    }
    sorted = sorted && s.wall_time >= last;
    last = s.wall_time;
    to_.samples.push_back({s.wall_time, s.stack, s.task});
    if (s.task < samples_of_task_.size()) ++samples_of_task_[s.task];
  }
  // Trace time orders them already, except where REALTIME was set back.
  if (!sorted)
    std::stable_sort(to_.samples.begin(), to_.samples.end(),
                     [](auto& a, auto& b) { return a.time < b.time; });
}

frame_list::options converter::frame_options() const {
  frame_list::options o;
  o.set_in_app = to_.platform != "android";
  if (!o.set_in_app) return o;
  for (std::size_t i = 0; i < trace_.tasks.size(); ++i)
    if (samples_of_task_[i] != 0) o.executables.push_back(package_of(trace_.tasks[i].executable));
  std::sort(o.executables.begin(), o.executables.end());
  o.executables.erase(std::unique(o.executables.begin(), o.executables.end()), o.executables.end());
  return o;
}

/// Samples that name no process are nobody's, so they are not foreign.
void converter::count_foreign(std::uint32_t first_task) {
  if (first_task >= trace_.tasks.size() || !trace_.tasks[first_task].has_pid) return;
  auto const& first = trace_.tasks[first_task];
  for (std::size_t i = 0; i < trace_.tasks.size(); ++i) {
    auto const& t = trace_.tasks[i];
    if (t.has_pid && (t.machine != first.machine || t.pid != first.pid))
      counts_.foreign_process_samples += samples_of_task_[i];
  }
}

boost::system::result<void, error> converter::run() {
  // Everything that grows with the trace, so that it can be refused before it is taken, and reserved in one piece.
  const auto entries = stack_entries();
  const std::uint64_t most_frames = trace_.frames.size() + trace_.lines.size();
  const std::uint64_t bytes = entries * sizeof(std::uint32_t) + most_frames * frame_list::bytes_per_frame +
                              trace_.stacks.size() * 32 + trace_.samples.size() * sizeof(sample_v2::sample);
  // An entry is at least a digit and a comma.
  if (entries > lim_.max_json_bytes / 2 || bytes > lim_.max_bytes)
    return error{errc::exceed_size_limit, "payload_too_large",
                 "the trace's stacks and frames would make a profile larger than the limits allow", 0};
  place_samples();
  counts_.emitted_samples = to_.samples.size();
  if (to_.samples.empty()) return nothing_to_show();
  count_foreign(to_.samples.front().thread);

  frame_list frames(trace_, frame_options(), images_, to_);
  thread_list threads(trace_, to_);
  boost::unordered_flat_set<std::uint32_t, stack_hash, stack_equal> unique(0, stack_hash{this},
                                                                           stack_equal{this});
  to_.stacks.reserve(trace_.stacks.size(), entries);
  stack_hashes_.reserve(trace_.stacks.size());
  std::uint32_t idle = none;

  for (auto& s : to_.samples) {
    auto& known = stack_of_[s.stack];
    if (known == none) {
      const auto fresh = stack(s.stack, frames);
      if (to_.frames.size() > lim_.max_frames)
        return error{errc::exceed_size_limit, "too_many_frames",
                     "the trace's stacks and frames would make a profile larger than the limits allow", 0};
      const auto [at, is_new] = unique.insert(fresh);
      if (!is_new) {
        to_.stacks.drop_last();
        stack_hashes_.pop_back();
      }
      known = *at;
      if (trace_.stacks[s.stack].count == 0) idle = known;
    }
    s.stack = known;
    s.thread = threads.index_of(s.thread);
    counts_.empty_stacks += known == idle;
  }
  threads.write_ids_and_names();
  images_.set_sizes();
  counts_.image_without_range = images_.without_range();
  counts_.image_without_build_id = images_.without_build_id();
  return {};
}

/// Appends the stack as it is emitted, with its hash; the caller drops it again if an equal one exists.
std::uint32_t converter::stack(std::uint32_t decoded, frame_list& frames) {
  frames.push_stack(trace_.stacks[decoded].frames());
  const auto index = to_.stacks.close();
  using perfetto_decode::fold;
  const auto stack = to_.stacks[index];
  auto h = seed_.b ^ stack.size();
  std::size_t i = 0;
  for (; i + 2 <= stack.size(); i += 2)
    h = fold(h ^ stack[i] ^ (std::uint64_t{stack[i + 1]} << 32), seed_.a) + seed_.b;
  if (i < stack.size()) h = fold(h ^ stack[i], seed_.a) + seed_.b;
  stack_hashes_.push_back(h);
  return index;
}

}  // namespace

boost::system::result<void, error> convert(decoded_trace const& trace, convert_limits const& lim, chunk& to,
                                           convert_counts& counts) {
  return converter(trace, lim, to, counts).run();
}

}  // namespace profile_relay::profile
