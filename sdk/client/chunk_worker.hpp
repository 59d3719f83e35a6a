// Where finished chunks are closed and handed over: neither on the sampler's thread nor on one of the application's.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

namespace profile_relay::sdk {

/// Runs one job whenever it is woken; wakes that come while it runs are one more run.
class chunk_worker {
 public:
  virtual ~chunk_worker() = default;
  /// Once, before the first wake.
  virtual void start(std::function<void()> job) = 0;
  /// Does not wait. Harmless before start and after stop.
  virtual void wake() = 0;
  /// Runs the job a last time if it was woken, then ends. Waits for that; harmless without start, and twice.
  virtual void stop() = 0;
};

/// One thread that takes none of the application's signals.
class thread_worker final : public chunk_worker {
 public:
  ~thread_worker() override;
  void start(std::function<void()> job) override;
  void wake() override;
  void stop() override;

 private:
  void run();

  std::function<void()> job_;
  std::mutex mutex_;
  std::condition_variable woken_;
  bool wanted_ = false;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace profile_relay::sdk
