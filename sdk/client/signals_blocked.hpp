// Signals of the application are not for our threads.
#pragma once

#include <csignal>

namespace profile_relay::sdk {

/// A thread that is made while this lives inherits a mask that blocks everything, so that the application's handlers run
/// on the application's threads.
class signals_blocked {
 public:
  signals_blocked() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~signals_blocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  signals_blocked(const signals_blocked&) = delete;
  signals_blocked& operator=(const signals_blocked&) = delete;

 private:
  sigset_t before_{};
};

}  // namespace profile_relay::sdk
