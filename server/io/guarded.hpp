#pragma once

#include <mutex>
#include <utility>

namespace profile_relay::server {

/// A small value that one thread replaces while others take copies.
template <class T>
class guarded {
 public:
  explicit guarded(T value) : value_(std::move(value)) {}
  T get() const {
    std::scoped_lock lock(mutex_);
    return value_;
  }
  void set(T value) {
    std::scoped_lock lock(mutex_);
    value_ = std::move(value);
  }

 private:
  mutable std::mutex mutex_;
  T value_;
};

}  // namespace profile_relay::server
