#include "server/io/periodic.hpp"

#include <exception>
#include <utility>

#include "server/io/logging.hpp"

namespace profile_relay::server {

periodic::periodic(std::chrono::milliseconds interval, std::string failure, std::function<void()> work)
    : interval_(interval), failure_(std::move(failure)), work_(std::move(work)) {
  thread_ = std::thread([this] { run(); });
}

periodic::~periodic() {
  {
    std::scoped_lock lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void periodic::run() {
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, interval_, [this] { return stop_; })) {
    lock.unlock();
    try {
      work_();
    } catch (std::exception const& e) {
      log(log_level::error, failure_, {{"cause", e.what()}});
    }
    lock.lock();
  }
}

}  // namespace profile_relay::server
