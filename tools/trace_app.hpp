#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace profile_relay::trace_maker {

/// The demo app's life: it starts, its list is scrolled, the cart is paid.
inline constexpr std::size_t phase_count = 3;

struct app_thread {
  std::uint32_t tid;
  std::string_view name;                 ///< empty: the main thread, which only the tid tells
  std::array<double, phase_count> busy;  ///< share of the sampling ticks at which it runs
};

/// Something a thread does. Frames are written "module:function", outermost first, with " > " between them.
struct activity {
  std::uint32_t tid;
  std::array<int, phase_count> weight;  ///< relative to the thread's other activities
  std::string_view path;
  std::string_view leaves;  ///< alternatives with " | " between them, each a path that continues `path`
};

std::span<const app_thread> app_threads();
std::span<const activity> app_activities();
/// The module that a short name in an activity stands for (the end of its path); empty if there is none.
std::string_view module_path(std::string_view short_name);

}  // namespace profile_relay::trace_maker
