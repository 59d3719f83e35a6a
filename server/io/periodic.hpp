#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

namespace profile_relay::server {

/// Calls `work` every `interval`, the first time after one, in a thread of its own until it is destroyed. What
/// `work` throws is logged under `failure` and ends only that call.
class periodic {
 public:
  periodic(std::chrono::milliseconds interval, std::string failure, std::function<void()> work);
  ~periodic();
  periodic(periodic const&) = delete;
  periodic& operator=(periodic const&) = delete;

 private:
  void run();

  std::chrono::milliseconds interval_;
  std::string failure_;
  std::function<void()> work_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace profile_relay::server
