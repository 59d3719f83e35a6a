#include "sdk/sampler/signal_handler.hpp"

#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>

#include "sdk/core/clocks.hpp"
#include "sdk/sampler/slot_pool.hpp"
#include "sdk/sampler/stack_walk.hpp"

namespace profile_relay::sdk {
namespace {

constexpr unsigned slot_bits = 16;
static_assert(slot_count <= (1u << slot_bits));

constinit std::atomic<pid_t> owner{0};
constinit std::atomic<stack_walk> chosen_walk{stack_walk::automatic};
constinit struct sigaction found_action {};

void take_sample(std::uint64_t value, void const* context) {
  auto& slot = slot_pool[value % (1u << slot_bits) % slot_count];
  auto const request = value >> slot_bits;
  if (!slot.begin(request)) return;
  auto& sample = slot.sample;
  sample.boottime_ns = boottime_ns();
  auto const walked = walk_stack(chosen_walk.load(std::memory_order_relaxed), context, sample.pcs);
  sample.depth = static_cast<std::uint16_t>(walked.depth);
  sample.truncated = walked.truncated;
  slot.handler_ns = static_cast<std::uint32_t>(boottime_ns() - sample.boottime_ns);
  slot.finish(request);
}

// Async-signal-safe: no allocation, no lock, no thread-local of ours.
void on_signal(int, siginfo_t* info, void* context) {
  int const saved = errno;
  // Anything else is somebody's kill(), or a signal that the kernel had no room to describe.
  if (info->si_code == SI_QUEUE)
    take_sample(reinterpret_cast<std::uintptr_t>(info->si_value.sival_ptr), context);
  errno = saved;
}

bool is_ours(struct sigaction const& action) {
  return (action.sa_flags & SA_SIGINFO) != 0 && action.sa_sigaction == on_signal;
}

bool is_free(struct sigaction const& action) {
  return (action.sa_flags & SA_SIGINFO) == 0 &&
         (action.sa_handler == SIG_DFL || action.sa_handler == SIG_IGN);
}

struct sigaction our_action() {
  struct sigaction action {};
  action.sa_sigaction = on_signal;
  action.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK;
  // A handler of the host's that left ours by longjmp() would keep the slot. But what the host does about a crash must
  // not wait: blocked, these would end the process at once.
  ::sigfillset(&action.sa_mask);
  for (int const crash : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT, SIGSYS})
    ::sigdelset(&action.sa_mask, crash);
  return action;
}

bool become_owner() {
  auto const self = ::getpid();
  auto held = owner.load();
  return held != self && owner.compare_exchange_strong(held, self);
}

}  // namespace

bool take_signal(stack_walk walk) {
  if (!become_owner()) return false;
  struct sigaction before {};
  ::sigaction(SIGPROF, nullptr, &before);
  bool taken = false;
  if (is_free(before) || is_ours(before)) {
    chosen_walk = prepare_walk(walk);
    static_cast<void>(boottime_ns());
    auto const action = our_action();
    ::sigaction(SIGPROF, &action, &before);
    // Somebody else may have come in between.
    taken = is_free(before) || is_ours(before);
    if (!taken) ::sigaction(SIGPROF, &before, nullptr);
  }
  // In a fork's child the handler is there already, and what was found is known from the parent.
  if (taken && !is_ours(before)) found_action = before;
  if (!taken) owner = 0;
  return taken;
}

bool have_signal() {
  struct sigaction now {};
  return ::sigaction(SIGPROF, nullptr, &now) == 0 && is_ours(now);
}

void give_signal_back() {
  if (have_signal()) {
    struct sigaction ignore {
    }, between{};
    ignore.sa_handler = SIG_IGN;
    ::sigaction(SIGPROF, &ignore, nullptr);
    ::sigaction(SIGPROF, &found_action, &between);
    if (!is_free(between)) ::sigaction(SIGPROF, &between, nullptr);
  }
  owner = 0;
}

signal_sender::signal_sender() {
  std::memset(&info_, 0, sizeof info_);
  info_.si_signo = SIGPROF;
  info_.si_code = SI_QUEUE;
  info_.si_pid = ::getpid();
  info_.si_uid = ::getuid();
}

sent signal_sender::operator()(std::int32_t tid, std::uint64_t request, std::size_t slot) {
  info_.si_value.sival_ptr =
      reinterpret_cast<void*>(static_cast<std::uintptr_t>(request << slot_bits | slot));
  if (::syscall(SYS_rt_tgsigqueueinfo, info_.si_pid, tid, SIGPROF, &info_) == 0) return sent::yes;
  return errno == ESRCH ? sent::no_such_thread : sent::failed;
}

}  // namespace profile_relay::sdk
