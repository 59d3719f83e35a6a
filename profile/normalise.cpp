#include "profile/normalise.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace profile_relay::profile {

using sample_v2::chunk;
using sample_v2::sample;

namespace {

/// Drops what such threads have: samples, and metadata, since no sample of theirs is left. Returns the
/// samples' number.
std::uint64_t drop_lonely_threads(chunk& c) {
  std::vector<std::uint32_t> non_idle(c.threads.size());
  for (auto const& s : c.samples)
    if (s.stack < c.stacks.size() && !c.stacks[s.stack].empty()) ++non_idle[s.thread];

  bool any = false;
  for (std::size_t i = 0; i < c.threads.size(); ++i) {
    if (non_idle[i] > 1) continue;
    c.threads[i].has_metadata = false;
    any = true;
  }
  if (!any) return 0;
  return std::erase_if(c.samples, [&](sample const& s) { return non_idle[s.thread] <= 1; });
}

boost::system::result<void, error> check_ranges(chunk const& c) {
  for (std::size_t i = 0; i < c.samples.size(); ++i)
    if (c.samples[i].stack >= c.stacks.size())
      return error{
          errc::malformed_samples, "stack_id_out_of_range",
          "the stack_id of a sample must be below the number of stacks, " + std::to_string(c.stacks.size()),
          0};
  for (std::size_t i = 0; i < c.stacks.size(); ++i)
    for (const auto f : c.stacks[i])
      if (f >= c.frames.size())
        return error{errc::malformed_stacks, "frame_index_out_of_range",
                     "profile.stacks[" + std::to_string(i) +
                         "]: frame indices must be below the number of frames, " +
                         std::to_string(c.frames.size()),
                     0};
  return {};
}

void sort_by_time(chunk& c) {
  const auto earlier = [](sample const& a, sample const& b) { return a.time < b.time; };
  if (!std::is_sorted(c.samples.begin(), c.samples.end(), earlier))
    std::stable_sort(c.samples.begin(), c.samples.end(), earlier);
}

bool spans_too_long(chunk const& c) {
  const auto first = c.samples.front().time, last = c.samples.back().time;
  if (c.times == sample_v2::time_form::nanoseconds) return last - first > 66'000'000'000;
  return sample_v2::seconds_of_time(last) - sample_v2::seconds_of_time(first) > 66.0;
}

void mask_addresses(chunk& c) {
  for (auto& f : c.frames)
    if (f.instruction_addr) *f.instruction_addr &= 0xF'FFFF'FFFF;
}

}  // namespace

boost::system::result<void, error> normalise(chunk& c, std::uint64_t& dropped_samples) {
  dropped_samples = drop_lonely_threads(c);
  if (c.samples.empty())
    return error{
        errc::not_enough_samples, "no_thread_with_two_samples",
        "no thread has two samples with a stack; samples dropped: " + std::to_string(dropped_samples), 0};
  if (auto in_range = check_ranges(c); !in_range) return in_range;
  sort_by_time(c);
  if (spans_too_long(c))
    return error{errc::duration_is_too_long, "over_66_seconds", "the samples span more than 66 s", 0};
  if (c.platform == "cocoa") mask_addresses(c);
  return {};
}

}  // namespace profile_relay::profile
