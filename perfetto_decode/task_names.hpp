#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <string_view>
#include <tuple>
#include <vector>

#include "perfetto_decode/arena.hpp"
#include "perfetto_decode/budget.hpp"
#include "perfetto_decode/counters.hpp"
#include "perfetto_decode/decoded_trace.hpp"
#include "perfetto_decode/packet.hpp"
#include "perfetto_decode/time_ref.hpp"

namespace profile_relay::perfetto_decode {

/// Collects what a trace says of the names of threads and processes and decides, in time order, by rank: a
/// value replaces the old one when its rank is not lower. Source: perfetto-decoding 11. The key is (machine,
/// pid, tid).
class task_names {
 public:
  task_names(memory_budget& working, arena& keep) : working_(&working), keep_(&keep) {}

  /// Where a piece of naming stood: its machine, its time, and whether its bytes go away.
  struct place {
    std::uint32_t machine = 0;
    time_ref time;
    bool copy = false;
  };
  /// Each returns false when the budget refuses.
  bool process_tree(byte_span message, place const& at, counters& counts);
  bool process_descriptor(byte_span message, place const& at, counters& counts);
  bool thread_descriptor(byte_span message, place const& at, counters& counts);
  bool track_descriptor(byte_span message, place const& at, counters& counts);

  /// Sorts by time (`resolve` gives trace time; false = drop) and settles every name.
  template <class Resolve>
  void settle(Resolve&& resolve);

  /// Fills names of a task whose machine, pid and tid are known.
  void name(task& t) const;

 private:
  enum class kind : std::uint8_t { thread, process, executable };
  struct event {
    std::uint32_t machine;
    time_ref time;
    std::int64_t trace_time;
    std::int64_t pid, tid;  // tid unused for processes
    std::string_view text;
    std::uint8_t rank;
    kind what;
  };
  struct value {
    std::string_view text;
    std::uint8_t rank = 0;
  };
  struct process_value {
    value name;
    std::string_view executable;
  };
  using thread_key = std::tuple<std::uint32_t, std::int64_t, std::int64_t>;
  using process_key = std::pair<std::uint32_t, std::int64_t>;

  bool add(place const& at, kind what, std::int64_t pid, std::int64_t tid, std::string_view text,
           std::uint8_t rank, counters& counts);
  bool process_descriptor(byte_span message, std::uint64_t chrome_type, place const& at, counters& counts);
  bool process_of_tree(byte_span message, place const& at, counters& counts);
  void apply(event const& e);

  memory_budget* working_;
  arena* keep_;
  std::vector<event> events_;
  std::map<thread_key, value> threads_;
  std::map<std::pair<std::uint32_t, std::int64_t>, std::int64_t>
      pid_of_tid_;  // for samples that name no process
  std::map<process_key, process_value> processes_;
};

/// The label Chrome shows for a thread type; "" for unknown ones.
std::string_view chrome_thread_name(std::uint64_t type);
/// The same for a process type.
std::string_view chrome_process_name(std::uint64_t type);

template <class Resolve>
void task_names::settle(Resolve&& resolve) {
  std::erase_if(events_, [&](event& e) { return !resolve(e.time, e.trace_time); });
  std::stable_sort(events_.begin(), events_.end(),
                   [](event const& a, event const& b) { return a.trace_time < b.trace_time; });
  for (auto const& e : events_) apply(e);
}

}  // namespace profile_relay::perfetto_decode
