// What the threads of the example do. Each function keeps its name in a profile: it is neither inlined nor left early.
#pragma once

#include <atomic>
#include <mutex>

namespace busy {

/// Each returns soon after this is true.
using stop_flag = std::atomic<bool>;

/// Never waits.
void spin(const stop_flag& stop);
/// Waits nearly always.
void sleep_often(const stop_flag& stop);
/// With another thread that does the same: one works under the lock while the other waits for it.
void fight_for_lock(const stop_flag& stop, std::mutex& lock);
/// Takes and gives back memory of many sizes.
void allocate(const stop_flag& stop);
/// Gives work_seventy 70 % of its time and work_thirty 30 %.
void split_work(const stop_flag& stop);

}  // namespace busy
