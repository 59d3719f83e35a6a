#pragma once

#include <catch2/catch.hpp>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <string>
#include <vector>

#include "sdk/core/transport.hpp"

namespace profile_relay::sdk::test {

/// What the transport told its client.
class event_log {
 public:
  transport_events events() {
    return {.rate_limited = [this](auto wait) { add("limited " + std::to_string(wait.count())); },
            .too_large = [this] { add("too large"); },
            .warn = [this](std::string const& text) { add(text); }};
  }
  /// Waits for a line with this in it, and returns the first one.
  std::string wait_for(std::string const& part) {
    constexpr std::chrono::seconds plenty{60};
    std::unique_lock lock(mutex_);
    std::string found;
    bool const came = changed_.wait_for(lock, plenty, [&] {
      for (const auto& line : lines_) {
        if (found.empty() && line.find(part) != std::string::npos) found = line;
      }
      return !found.empty();
    });
    INFO(text());
    REQUIRE(came);
    return found;
  }
  std::string all() {
    std::lock_guard const lock(mutex_);
    return text();
  }

 private:
  void add(std::string line) {
    {
      std::lock_guard const lock(mutex_);
      lines_.push_back(std::move(line));
    }
    changed_.notify_all();
  }
  std::string text() const {
    std::string out;
    for (auto const& line : lines_) out += (out.empty() ? "" : "; ") + line;
    return out;
  }
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> lines_;
};

/// No proxy of whoever runs the tests may come between.
struct no_proxies {
  no_proxies() {
    for (auto const* name : {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"})
      ::unsetenv(name);
  }
};

}  // namespace profile_relay::sdk::test
