#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "message.hpp"

namespace attack {

/// The packet as an entry of a Trace.
std::string entry(message const& packet);

/// {BOOTTIME, MONOTONIC, REALTIME} at time zero of the trace, primary BOOTTIME, on no sequence.
std::string clock_snapshot();

/// Writes the packets of one sequence as a producer would: what is interned gathers and goes out in packets of bounded
/// size, before the next sample at the latest.
class recorder {
 public:
  explicit recorder(std::uint32_t sequence = 1, std::uint32_t machine = 0)
      : sequence_(sequence), machine_(machine) {}

  recorder& clear();
  recorder& intern(std::uint32_t field, message const& value);
  recorder& name(std::uint32_t field, std::uint64_t iid, std::string_view text);
  recorder& function(std::uint64_t iid, std::string_view text);
  recorder& frame(std::uint64_t iid, std::uint64_t function, std::uint64_t mapping = 0,
                  std::uint64_t rel_pc = 0);
  /// [start, start + 4096), named by the path components.
  recorder& mapping(std::uint64_t iid, std::uint64_t start, std::span<const std::uint64_t> path,
                    std::uint64_t build_id = 0);
  recorder& callstack(std::uint64_t iid, std::span<const std::uint64_t> frames);
  /// A tenth of a millisecond after the last one: a hundred thousand fit into a profile's 66 s.
  recorder& sample(std::uint64_t callstack, std::uint32_t tid = 1, std::uint32_t pid = 1);
  recorder& packet(message const& fields);  ///< with the sequence's id, after what was interned
  recorder& flush();

  /// All packets so far.
  std::string take();

 private:
  message header() const;

  std::uint32_t sequence_, machine_;
  std::uint64_t time_ns_ = 1'000'000'000;
  message interned_;
  std::string trace_;
};

}  // namespace attack
