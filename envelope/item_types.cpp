#include "envelope/item_types.hpp"

#include <algorithm>
#include <array>

namespace profile_relay::envelope {

namespace {

constexpr std::array<std::string_view, 25> not_served_types{
    "profile",       "trace_metric",   "event",    "transaction",   "attachment",   "user_report",
    "feedback",      "session",        "sessions", "client_report", "replay_event", "replay_recording",
    "replay_video",  "check_in",       "log",      "span",          "otel_span",    "otel_traces_data",
    "statsd",        "metric_buckets", "security", "raw_security",  "nel",          "form_data",
    "unreal_report",
};

}  // namespace

item_class classify(std::string_view type) {
  if (type == "profile_chunk" || type == "profile_chunk_ui") return {item_kind::chunk, {}};
  if (type == "profile_chunk_data") return {item_kind::chunk_data, {}};
  if (type == "integration") return {item_kind::internal, {}};
  if (auto const* found = std::ranges::find(not_served_types, type); found != not_served_types.end()) {
    return {item_kind::not_served, *found};
  }
  return {item_kind::unknown, {}};
}

}  // namespace profile_relay::envelope
