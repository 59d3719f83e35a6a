#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "server/core/delivery_port.hpp"

namespace profile_relay::server {

/// Memory of the process's cgroup (or of the host when there is none). Bytes.
struct memory_reading {
  std::uint64_t used = 0;
  std::uint64_t limit = 0;  ///< 0 = unknown: never over the mark
};

/// `health.max_memory_percent` and `health.max_memory_bytes`.
struct memory_mark {
  double max_percent = 0.95;  ///< a fraction of 1
  std::optional<std::uint64_t> max_bytes;
};
bool over_mark(memory_reading const& memory, memory_mark const& mark);

struct readiness_facts {
  bool draining = false;
  std::optional<memory_reading>
      memory;  ///< absent = the probe failed or was too slow, which counts as failed
  memory_mark mark;
  delivery_status delivery;
  std::size_t projects = 0;
  std::size_t broken_projects = 0;  ///< files whose current content is not in force; told, but never unready
};

struct readiness {
  struct check {
    std::string name;
    std::string text;  ///< for people
    bool ok = true;
  };
  bool ready = true;
  std::vector<check> checks;
};

/// Contract 8: memory under its mark, not draining, and Kafka progress or room in the spool.
/// Without a broker (spool-only mode) the spool alone decides.
readiness decide_readiness(readiness_facts const& facts);

/// `{"is_healthy":...,"checks":{"<name>":"<text>"}}`; `is_healthy` stands first, a failed check's text says
/// so.
std::string to_json(readiness const& r);

}  // namespace profile_relay::server
