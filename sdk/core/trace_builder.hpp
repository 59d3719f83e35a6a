// The seam between the client and the writer of Perfetto traces.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "sdk/core/sample.hpp"

namespace profile_relay::sdk {

/// Writes one complete Perfetto trace: everything a reader needs is in it again. Grows with what is appended; the
/// client cuts by size() and samples().
class trace_builder {
 public:
  virtual ~trace_builder() = default;
  virtual void append(const stack_sample& sample) = 0;
  /// Bytes that finish() would return now.
  [[nodiscard]] virtual std::size_t size() const = 0;
  [[nodiscard]] virtual std::uint64_t samples() const = 0;
  /// The trace comes near the limits of readers, which bound more than its bytes: cut it here.
  [[nodiscard]] virtual bool full() const { return false; }
  /// Closes the trace with the clocks of its end. Call it once.
  [[nodiscard]] virtual std::string finish(const clock_reading& end) = 0;
};

/// Makes one builder per chunk. It keeps what outlives a chunk (images, symbols), in bounded memory.
class trace_builder_factory {
 public:
  virtual ~trace_builder_factory() = default;
  virtual std::unique_ptr<trace_builder> begin(const clock_reading& start) = 0;
};

/// The real one (sdk/trace), for this process.
std::unique_ptr<trace_builder_factory> make_trace_builder_factory();

}  // namespace profile_relay::sdk
