#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "config/project.hpp"
#include "server/core/byte_budget.hpp"
#include "server/core/delivery_port.hpp"
#include "server/core/pipeline.hpp"
#include "server/core/rate_limiter.hpp"
#include "server/core/readiness.hpp"
#include "server/io/logging.hpp"
#include "server/io/metrics.hpp"

namespace profile_relay::server {

/// What a request needs from the rest of the server. `main` wires it once; everything named here outlives
/// every session. The functions are called from any thread.
struct http_services {
  delivery_port& delivery;
  metrics& counted;
  byte_budget& budget;
  rate_limiter const& limiter;
  pipeline_settings pipeline;
  std::function<std::shared_ptr<const config::project_snapshot>()> projects;
  std::function<readiness()> readiness_now;
  std::function<std::string()> render_metrics;
  std::function<bool()> memory_over_mark;
  /// 16 random bytes, for the Kafka key of outcomes without an event id.
  std::function<std::string()> random16;
  std::function<std::uint64_t()> unix_seconds;
  std::atomic<bool> draining{false};
  hourly_gate once_an_hour{};
};

}  // namespace profile_relay::server
