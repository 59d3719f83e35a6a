#pragma once

#include <cassert>
#include <cstddef>
#include <utility>

#include "server/core/disposition.hpp"

namespace profile_relay::server {

/// Who wants to know how chunks end; must outlive its tracked chunks.
class chunk_ends {
 public:
  virtual ~chunk_ends() = default;
  /// The chunk's one end.
  virtual void ended(std::size_t index, disposition d) = 0;
  /// A bug: the chunk was dropped without an end. Counts internal_error and must give the chunk the end
  /// rejected(internal), so that no request waits for ever. True = abort in debug builds.
  virtual bool forgotten(std::size_t index) noexcept = 0;
};

/// A chunk of a request whose end must be told exactly once: `end` consumes it, and dropping it without an
/// end is a bug that is counted, never silent. Move-only; `index` is its number within the request.
class tracked_chunk {
 public:
  tracked_chunk(chunk_ends& to, std::size_t index) : to_(&to), index_(index) {}
  tracked_chunk(tracked_chunk&& o) noexcept : to_(std::exchange(o.to_, nullptr)), index_(o.index_) {}
  tracked_chunk& operator=(tracked_chunk&& o) noexcept {
    if (this != &o) {
      drop();
      to_ = std::exchange(o.to_, nullptr);
      index_ = o.index_;
    }
    return *this;
  }
  ~tracked_chunk() { drop(); }

  std::size_t index() const { return index_; }
  /// True until `end` was called or the chunk was moved away.
  bool open() const { return to_ != nullptr; }

  /// Call as std::move(chunk).end(...): afterwards the chunk is gone. A second end is a bug: ignored in
  /// release builds, an assertion in debug ones.
  void end(disposition d) && {
    assert(to_ != nullptr);
    if (to_) std::exchange(to_, nullptr)->ended(index_, d);
  }

 private:
  void drop() noexcept {
    if (!to_) return;
    [[maybe_unused]] bool const fatal = std::exchange(to_, nullptr)->forgotten(index_);
    assert(!fatal && "a chunk was dropped without an end");
  }

  chunk_ends* to_;
  std::size_t index_;
};

}  // namespace profile_relay::server
