#include "server/core/pipeline_notes.hpp"

#include <array>

namespace profile_relay::server {

namespace {

using profile::expand_notes;

constexpr std::array rows{
    note_counter{"unplaced_samples", "samples left out for want of a wall time",
                 &expand_notes::unplaced_samples},
    note_counter{"empty_stacks", "samples whose stack has no frames: idle", &expand_notes::empty_stacks},
    note_counter{"foreign_process_samples", "samples of processes other than the first sample's",
                 &expand_notes::foreign_process_samples},
    note_counter{"sample_records", "sample records of every kind", &expand_notes::sample_records},
    note_counter{"emitted_samples", "samples in the output", &expand_notes::emitted_samples},
};

}  // namespace

std::span<const note_counter> note_counters() { return rows; }

std::vector<std::pair<std::string_view, std::uint64_t>> non_zero(expand_notes const& n) {
  std::vector<std::pair<std::string_view, std::uint64_t>> out;
  for (auto const& row : rows)
    if (n.*row.value != 0) out.emplace_back(row.name, n.*row.value);
  for (auto const& row : perfetto_decode::counter_table())
    if (auto const value = n.decode[row.id]; value != 0) out.emplace_back(row.name, value);
  return out;
}

}  // namespace profile_relay::server
