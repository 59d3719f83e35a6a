#include "sdk/client/chunk_worker.hpp"

#include <pthread.h>

#include "sdk/transport/worker_signals.hpp"

namespace profile_relay::sdk {

thread_worker::~thread_worker() { stop(); }

void thread_worker::start(std::function<void()> job) {
  job_ = std::move(job);
  worker_signals const quiet;
  thread_ = std::thread([this] { run(); });
  ::pthread_setname_np(thread_.native_handle(), "profile-chunks");
}

void thread_worker::wake() {
  {
    std::lock_guard const lock(mutex_);
    wanted_ = true;
  }
  woken_.notify_one();
}

void thread_worker::stop() {
  {
    std::lock_guard const lock(mutex_);
    ending_ = true;
  }
  woken_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void thread_worker::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    woken_.wait(lock, [this] { return wanted_ || ending_; });
    if (!wanted_) return;
    wanted_ = false;
    lock.unlock();
    job_();
    lock.lock();
  }
}

}  // namespace profile_relay::sdk
