#include "profile/convert_threads.hpp"

#include <string>

namespace profile_relay::profile {

thread_list::thread_list(perfetto_decode::decoded_trace const& trace, sample_v2::chunk& to)
    : trace_(trace), to_(to), threads_(trace.tasks.size() + 1, perfetto_decode::none) {}

std::uint32_t thread_list::add(std::size_t slot) {
  const perfetto_decode::task nobody;
  auto const& task = slot < trace_.tasks.size() ? trace_.tasks[slot] : nobody;
  const auto tid = task.has_tid ? task.tid : 0;
  const auto next = static_cast<std::uint32_t>(to_.threads.size());
  const auto [at, is_new] = index_.try_emplace({task.machine, tid}, next);
  if (is_new) {
    to_.threads.emplace_back();
    identities_.push_back({task.machine, tid, false});
  }
  auto& thread = to_.threads[at->second];
  if (!thread.name && !task.thread_name.empty()) thread.name = task.thread_name;
  if (task.has_pid && task.has_tid && task.pid == task.tid) identities_[at->second].main = true;
  threads_[slot] = at->second;
  return at->second;
}

void thread_list::write_ids_and_names() {
  boost::unordered_flat_map<std::int64_t, std::uint32_t> lowest_machine;
  for (auto const& i : identities_) {
    const auto [at, is_new] = lowest_machine.try_emplace(i.tid, i.machine);
    if (!is_new && i.machine < at->second) at->second = i.machine;
  }
  for (std::size_t t = 0; t < to_.threads.size(); ++t) {
    auto const& i = identities_[t];
    auto& thread = to_.threads[t];
    auto id = std::to_string(i.tid);
    if (lowest_machine[i.tid] != i.machine) id = std::to_string(i.machine) + ":" + id;
    thread.id = to_.own(std::move(id));
    if (!thread.name && i.main) thread.name = "main";
    thread.has_metadata = thread.name.has_value();
  }
}

}  // namespace profile_relay::profile
