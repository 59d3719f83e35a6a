#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <tuple>
#include <utility>

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
  task_names(memory_budget& working, arena& keep)
      : keep_(&keep), events_(working), threads_(working), pid_of_tid_(working), processes_(working) {}

  /// Where a piece of naming stood: its machine, its time, and whether its bytes go away.
  struct place {
    std::uint32_t machine = 0;
    time_ref time;
    bool copy = false;
  };
  /// To be called before each packet: of its names only the first tells that its time cannot be had.
  void begin_packet() { first_of_packet_ = true; }
  /// What they keep is charged (budget_refused).
  void process_tree(byte_span message, place const& at, counters& counts);
  void process_descriptor(byte_span message, place const& at, counters& counts);
  void thread_descriptor(byte_span message, place const& at, counters& counts);
  void track_descriptor(byte_span message, place const& at, counters& counts);

  /// Sorts by time and settles every name. resolve(time, first_of_packet, when) -> bool gives the time to sort by; false =
  /// drop.
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
    bool first_of_packet;
    std::uint32_t order = 0;
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

  void add(place const& at, kind what, std::int64_t pid, std::int64_t tid, std::string_view text,
           std::uint8_t rank, counters& counts);
  void process_descriptor(byte_span message, std::uint64_t chrome_type, place const& at, counters& counts);
  void process_of_tree(byte_span message, place const& at, counters& counts);
  void apply(event const& e);

  arena* keep_;
  bool first_of_packet_ = true;
  budget_vector<event> events_;
  budget_map<thread_key, value> threads_;
  budget_map<std::pair<std::uint32_t, std::int64_t>, std::int64_t>
      pid_of_tid_;  // for samples that name no process
  budget_map<process_key, process_value> processes_;
};

/// The label Chrome shows for a thread type; "" for unknown ones.
std::string_view chrome_thread_name(std::uint64_t type);
/// The same for a process type.
std::string_view chrome_process_name(std::uint64_t type);

template <class Resolve>
void task_names::settle(Resolve&& resolve) {
  std::erase_if(events_, [&](event& e) { return !resolve(e.time, e.first_of_packet, e.trace_time); });
  // By (time, order in the file), in place: std::stable_sort would take memory that no budget knows of.
  for (std::uint32_t i = 0; auto& e : events_) e.order = i++;
  std::sort(events_.begin(), events_.end(), [](event const& a, event const& b) {
    return std::pair(a.trace_time, a.order) < std::pair(b.trace_time, b.order);
  });
  for (auto const& e : events_) apply(e);
}

}  // namespace profile_relay::perfetto_decode
