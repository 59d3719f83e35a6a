// Which signals the library's own threads take.
#pragma once

#include <csignal>

namespace profile_relay::sdk {

/// While it lives, threads that the calling thread starts block every signal but SIGPROF and those that name a fault of
/// the thread itself. So the host's handlers never run on a thread the host does not know, and a TLS connection that the
/// server closed ends with an error, not with SIGPIPE. SIGPROF stays open: the worker is a thread like any other in
/// the profile.
class worker_signals {
 public:
  worker_signals();
  ~worker_signals();
  worker_signals(worker_signals const&) = delete;
  worker_signals& operator=(worker_signals const&) = delete;

 private:
  sigset_t before_{};
};

}  // namespace profile_relay::sdk
