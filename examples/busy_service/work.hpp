// What the threads of the example do. Each function keeps its name in a profile: it is neither inlined nor left early.
#pragma once

#include <atomic>
#include <mutex>

namespace busy {

/// Each returns soon after this is true.
using stop_flag = std::atomic<bool>;

/// Never waits.
void spin(stop_flag const& stop);
/// Waits nearly always.
void sleep_often(stop_flag const& stop);
/// With another thread that does the same: one holds the lock, mostly asleep, while the other waits for it.
void fight_for_lock(stop_flag const& stop, std::mutex& lock);
/// Takes and gives back memory of many sizes, with short rests.
void allocate(stop_flag const& stop);
/// Gives work_seventy 70 % of its time and work_thirty 30 %.
void split_work(stop_flag const& stop);

}  // namespace busy
