#pragma once

#include <cstdint>
#include <string_view>

#include "server/core/reason.hpp"

namespace profile_relay::server {

/// Where one record (a chunk's message or an outcome) ended. Told exactly once for each submitted record.
enum class record_end : std::uint8_t {
  delivered,    ///< the broker acknowledged it
  spooled,      ///< in the durable spool, synced
  too_large,    ///< does not fit the message limit even without the raw trace; nothing was stored
  unavailable,  ///< neither Kafka nor the spool could take it; nothing was stored: 503
};
std::string_view to_string(record_end e);

/// Where one chunk ended: delivered, spooled, or rejected with a reason of the one table (reason.hpp).
class disposition {
 public:
  enum class kind : std::uint8_t { delivered, spooled, rejected };

  static constexpr disposition delivered() { return {kind::delivered, reason::internal}; }
  static constexpr disposition spooled() { return {kind::spooled, reason::internal}; }
  static constexpr disposition rejected(reason why) { return {kind::rejected, why}; }
  /// The chunk's end that follows from the end of its record: too_large rejects with
  /// profiling_exceed_size_limit.
  static disposition of(record_end e);

  constexpr kind what() const { return kind_; }
  constexpr bool accepted() const { return kind_ != kind::rejected; }
  /// Meaningful only when rejected.
  constexpr reason why() const { return why_; }

  friend constexpr bool operator==(disposition a, disposition b) {
    return a.kind_ == b.kind_ && (a.kind_ != kind::rejected || a.why_ == b.why_);
  }

 private:
  constexpr disposition(kind k, reason why) : kind_(k), why_(why) {}
  kind kind_;
  reason why_;
};

}  // namespace profile_relay::server
