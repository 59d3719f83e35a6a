#include "sdk/transport/envelope_text.hpp"

#include <nlohmann/json.hpp>

namespace profile_relay::sdk {
namespace {

using json = nlohmann::ordered_json;

std::string text_of(json const& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

}  // namespace

std::string chunk_metadata(profile_chunk const& chunk, client_sdk const& sdk) {
  json out{{"version", "2"},
           {"platform", chunk_platform},
           {"profiler_id", chunk.profiler_id},
           {"chunk_id", chunk.chunk_id},
           {"client_sdk", {{"name", sdk.name}, {"version", sdk.version}}},
           {"content_type", perfetto_mime}};
  if (!chunk.release.empty()) out["release"] = chunk.release;
  if (!chunk.environment.empty()) out["environment"] = chunk.environment;
  return text_of(out);
}

std::string client_report(discard_counts const& counts, std::int64_t wall_s) {
  json rows = json::array();
  for (std::size_t i = 0; i < discard_names.size(); ++i) {
    if (counts.by_reason[i] == 0) continue;
    rows.push_back(
        {{"reason", discard_names[i]}, {"category", "profile_chunk"}, {"quantity", counts.by_reason[i]}});
  }
  return text_of({{"timestamp", wall_s}, {"discarded_events", std::move(rows)}});
}

envelope_text build_envelope(profile_chunk const& chunk, client_sdk const& sdk, discard_counts const& counts,
                             std::int64_t wall_s) {
  auto const metadata = chunk_metadata(chunk, sdk);
  envelope_text out;
  out.before = text_of({{"event_id", chunk.chunk_id}}) + "\n" +
               text_of({{"type", "profile_chunk"},
                        {"content_type", perfetto_mime},
                        {"platform", chunk_platform},
                        {"length", metadata.size() + chunk.trace.size()},
                        {"meta_length", metadata.size()}}) +
               "\n" + metadata;
  out.trace = chunk.trace;
  out.after = "\n";
  if (!counts.empty()) {
    auto const report = client_report(counts, wall_s);
    out.after += text_of({{"type", "client_report"}, {"length", report.size()}}) + "\n" + report + "\n";
  }
  return out;
}

}  // namespace profile_relay::sdk
