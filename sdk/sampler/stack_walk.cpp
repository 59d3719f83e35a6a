#include "sdk/sampler/stack_walk.hpp"

#include <execinfo.h>
#include <gnu/libc-version.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "sdk/core/sample.hpp"
#include "sdk/sampler/machine.hpp"

namespace profile_relay::sdk {
namespace {

// Frames of the handler itself, above the interrupted one: two of ours, one of the kernel's return, some of a sanitizer.
constexpr std::size_t own_frames = 8;
constexpr std::uintptr_t page_bytes = 4'096;
// A record further away than this is no caller's; it also bounds the pages that one step looks at.
constexpr std::uintptr_t largest_frame = std::uintptr_t{256} << 10;

/// Whether the thread can read this aligned word. The kernel copies the mask before it looks at the operation, which is
/// invalid here, so the call changes nothing: EFAULT says that it could not copy.
bool is_readable(std::uintptr_t address) {
  return ::syscall(SYS_rt_sigprocmask, ~0, address, nullptr, 8) == 0 || errno != EFAULT;
}

/// The pages of one stack from the stack pointer upwards, as far as they are known to be readable. So the walk needs no
/// bounds of the thread, which nobody can ask for in a handler: a guard page or a hole ends it. The interrupted thread
/// stands on these pages, so they stay while the handler runs.
class readable_stack {
 public:
  explicit readable_stack(std::uintptr_t sp) : end_(sp / page_bytes * page_bytes) {}

  bool reaches(std::uintptr_t behind) {
    for (; end_ < behind; end_ += page_bytes)
      if (!is_readable(end_)) return false;
    return true;
  }

 private:
  std::uintptr_t end_;
};

walked_stack by_frame_pointers(machine_state const& at, std::span<std::uintptr_t> out) {
  walked_stack walked{1, false};
  out[0] = at.pc;
  readable_stack pages(at.sp);
  auto low = at.sp;
  for (auto fp = at.fp; fp != 0;) {
    bool const plausible = fp >= low && fp - low <= largest_frame && fp % sizeof(std::uintptr_t) == 0 &&
                           pages.reaches(fp + sizeof(frame_record));
    if (!plausible) {
      walked.truncated = true;
      break;
    }
    auto const& record = *reinterpret_cast<frame_record const*>(fp);
    if (record.return_address == 0) break;
    if (walked.depth == out.size()) {
      walked.truncated = true;
      break;
    }
    out[walked.depth++] = record.return_address;
    low = fp + sizeof(frame_record);
    fp = record.next_fp;
  }
  return walked;
}

walked_stack by_unwind_tables(machine_state const& at, std::span<std::uintptr_t> out) {
  std::array<void*, max_depth + own_frames> found;
  auto const wanted = std::min(out.size() + own_frames, found.size());
  auto const count =
      static_cast<std::size_t>(std::max(0, ::backtrace(found.data(), static_cast<int>(wanted))));
  auto const own_end = std::min(count, own_frames);
  std::size_t leaf = 0;
  while (leaf < own_end && reinterpret_cast<std::uintptr_t>(found[leaf]) != at.pc) ++leaf;
  out[0] = at.pc;
  // Where it did not get out of the handler, the pc is all that is known.
  if (leaf == own_end) return {1, true};
  auto const depth = std::min(count - leaf, out.size());
  for (std::size_t i = 1; i < depth; ++i) out[i] = reinterpret_cast<std::uintptr_t>(found[leaf + i]);
  return {depth, count - leaf > out.size() || count == wanted};
}

bool backtrace_takes_no_lock() {
  char* rest = nullptr;
  auto const major = std::strtol(::gnu_get_libc_version(), &rest, 10);
  auto const minor = *rest == '.' ? std::strtol(rest + 1, nullptr, 10) : 0;
  return major > 2 || (major == 2 && minor >= 35);
}

}  // namespace

stack_walk prepare_walk(stack_walk wanted) {
  if (wanted == stack_walk::automatic)
    wanted = backtrace_takes_no_lock() ? stack_walk::unwind_tables : stack_walk::frame_pointers;
  if (wanted == stack_walk::unwind_tables) {
    std::array<void*, 4> some;
    ::backtrace(some.data(), static_cast<int>(some.size()));
  } else {
    static_cast<void>(is_readable(0));
  }
  return wanted;
}

walked_stack walk_stack(stack_walk how, void const* context, std::span<std::uintptr_t> out) {
  auto const at = interrupted_state(context);
  return how == stack_walk::frame_pointers ? by_frame_pointers(at, out) : by_unwind_tables(at, out);
}

}  // namespace profile_relay::sdk
