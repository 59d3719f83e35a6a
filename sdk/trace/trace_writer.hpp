// One trace, encoded while its samples arrive.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "sdk/core/trace_builder.hpp"
#include "sdk/trace/address_source.hpp"
#include "sdk/trace/process_facts.hpp"

namespace profile_relay::sdk {

struct trace_writer_limits {
  /// Estimated bytes of the tables of one interval of interned data; then the sequence is cleared and a new interval
  /// begins, so that neither we nor a reader (15 MiB) hold more.
  std::size_t interned = std::size_t{4} << 20;
  /// Descriptors of threads in one trace. With 90,000 samples this stays below a reader's 110,000 packets even when each
  /// sample has a thread of its own; threads beyond it have no name.
  std::size_t descriptors = 15'000;
  /// Estimated bytes of what a reader keeps of all stacks, frames and samples; a reader has 40 MiB.
  std::size_t result = std::size_t{32} << 20;
};

/// Writes the packets of "profiling API, 4". Stacks are interned when they are appended, so what is held is the encoded
/// trace, tables bounded by trace_writer_limits, and 64 bytes per thread with a descriptor. Images are looked at again
/// when samples are 5 ms apart (so once a tick), names of threads once a second. Not thread-safe.
class trace_writer final : public trace_builder {
 public:
  trace_writer(clock_reading const& start, process_facts process, address_source& addresses,
               name_source& names, trace_writer_limits limits = {});

  void append(stack_sample const& sample) override;
  [[nodiscard]] std::size_t size() const override;
  [[nodiscard]] std::uint64_t samples() const override { return samples_; }
  [[nodiscard]] bool full() const override { return result_ >= limits_.result; }
  [[nodiscard]] std::string finish(clock_reading const& end) override;

 private:
  using iid = std::uint64_t;

  struct frame_key {
    std::uint64_t image;
    std::uint64_t rel_pc;
    bool operator==(frame_key const&) const = default;
  };
  struct frame_hash {
    std::size_t operator()(frame_key const& k) const {
      return std::hash<std::uint64_t>()(k.rel_pc ^ (k.image * 0x9e3779b97f4a7c15u));
    }
  };
  struct text_hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view s) const { return std::hash<std::string_view>()(s); }
  };
  using string_ids = std::unordered_map<std::string, iid, text_hash, std::equal_to<>>;
  struct known_stack {
    std::size_t offset, size;  // in stack_bytes_
    iid id;
  };
  struct known_thread {
    std::int64_t next_look = 0;
    std::string name;
  };
  // A thread that waits has the same stack tick after tick.
  struct recent_stack {
    std::int32_t tid = 0;
    iid id = 0;
    std::vector<std::uintptr_t> pcs;
  };

  void begin_interval(std::int64_t boottime_ns);
  void describe_thread(stack_sample const& sample);
  iid callstack_of(stack_sample const& sample);
  iid callstack_of_frames();
  iid frame_at(std::uintptr_t address);
  iid frame_of(located_address const& where, std::uint64_t rel_pc);
  iid mapping_of(located_address const& where);
  iid string_of(string_ids& ids, std::uint32_t field, std::string_view text);

  process_facts const process_;
  address_source& addresses_;
  name_source& names_;
  trace_writer_limits const limits_;
  clock_reading const start_;

  std::string out_;
  std::uint64_t samples_ = 0;
  std::size_t descriptors_ = 0;
  std::size_t result_ = 0;
  std::int64_t last_time_;
  std::int64_t next_look_ = 0;  // at the images

  // Of the current interval; ids of one kind are 1, 2, 3...
  string_ids functions_, paths_, build_ids_;
  std::unordered_map<std::uint64_t, iid> mappings_;
  std::unordered_map<std::uintptr_t, iid> addresses_seen_;  // forgotten when images come or go
  std::unordered_map<frame_key, iid, frame_hash> frames_;
  std::unordered_multimap<std::size_t, known_stack> stacks_;  // by hash of the encoded frame ids
  std::string stack_bytes_;
  std::size_t held_ = 0;

  std::unordered_map<std::int32_t, known_thread> threads_;
  std::array<recent_stack, 64> recent_;
  std::string interned_, frame_bytes_, frame_ids_;  // of the sample being appended
};

}  // namespace profile_relay::sdk
