// The client of this process, across fork().
#pragma once

#include <atomic>
#include <functional>
#include <memory>

#include "sdk/client/client.hpp"

namespace profile_relay::sdk {

/// Makes the parts anew in every process.
using parts_maker = std::function<client_parts(profiler_options const&)>;

/// Holds one client per process. A forked child inherits one whose threads are gone and whose locks may be held for ever:
/// it is never touched again and never freed. The child gets its own at its first start or root span. No lock is taken on
/// the way there, so a fork at any moment leaves a child that cannot hang here.
class client_slot {
 public:
  /// Throws invalid_options; makes the client of this process at once.
  client_slot(profiler_options options, parts_maker make);
  ~client_slot();
  client_slot(client_slot const&) = delete;
  client_slot& operator=(client_slot const&) = delete;

  /// This process's client, made if this process has none.
  [[nodiscard]] client& here();
  /// The same, or a null pointer in a child that has started nothing.
  [[nodiscard]] client* existing() const noexcept;
  [[nodiscard]] root_span begin_root_span(root_span_info const& info);
  void close(std::chrono::milliseconds deadline);

 private:
  struct held {
    int pid;
    std::shared_ptr<client> owner;
  };

  const profiler_options options_;
  const parts_maker make_;
  std::atomic<held*> held_{nullptr};
  std::atomic<bool> closed_{false};
};

}  // namespace profile_relay::sdk
