#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "envelope/raw_chunk.hpp"
#include "profile/expand.hpp"
#include "server/core/byte_budget.hpp"
#include "server/core/delivery_port.hpp"
#include "server/core/disposition.hpp"
#include "server/core/rate_counters.hpp"
#include "server/core/reason.hpp"

namespace profile_relay::server {

/// Everything that is counted, under the names of `/metrics`. Families and all of their label values that are
/// known beforehand exist from the start at 0, so that a rate over them is never missing. Thread-safe;
/// counting is one atomic addition.
class metrics {
 public:
  metrics();
  ~metrics();
  metrics(metrics const&) = delete;
  metrics& operator=(metrics const&) = delete;

  /// One HTTP reply. `seconds` from the request's first byte to its reply.
  void request(int status, double seconds);
  void request_rejected(reason r);
  void envelope_empty();
  void items(envelope::item_counts const& counts);

  /// The one end of a chunk.
  void chunk(disposition d);
  void chunk_feature_disabled(std::string_view flag);
  /// What was noticed while a chunk was expanded, rejected or not.
  void notes(profile::expand_notes const& n);
  void raw_profile_not_stored(std::string_view cause);
  void outcome(record_end e);
  void untracked_chunk();

  struct gauges {
    delivery_status delivery;
    std::uint64_t budget_used = 0, budget_max_used = 0, budget_capacity = 0;
    rate_counters::statistics rates;
    std::uint64_t connections = 0;
    std::uint64_t projects = 0, broken_projects = 0;
    std::uint64_t memory_used = 0, memory_limit = 0;
    bool ready = false;
  };
  /// The text format of Prometheus, with the gauges as they stand.
  std::string render(gauges const& g);

 private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace profile_relay::server
