#include "sdk/transport/worker_signals.hpp"

#include <pthread.h>

#include <initializer_list>

namespace profile_relay::sdk {

worker_signals::worker_signals() {
  sigset_t blocked;
  ::sigfillset(&blocked);
  for (int const open : {SIGPROF, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS}) {
    ::sigdelset(&blocked, open);
  }
  ::pthread_sigmask(SIG_SETMASK, &blocked, &before_);
}

worker_signals::~worker_signals() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

}  // namespace profile_relay::sdk
