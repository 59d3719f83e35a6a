#include "server/io/http_log.hpp"

#include "server/core/pipeline_notes.hpp"

namespace profile_relay::server {

namespace {

std::vector<log_field> chunk_fields(request_facts const& facts, std::size_t index,
                                    std::string_view chunk_id) {
  std::vector<log_field> f{{"project", std::to_string(facts.scope.project->id)},
                           {"chunk", std::to_string(index)}};
  if (!chunk_id.empty()) f.push_back({"chunk_id", std::string(chunk_id)});
  return f;
}

void add_notes(std::vector<log_field>& f, profile::expand_notes const& n) {
  for (auto const& [name, value] : non_zero(n)) f.push_back({std::string(name), std::to_string(value)});
  using perfetto_decode::counter;
  if (n.decode[counter::packet_corrupt] + n.decode[counter::bundle_corrupt] > 0)
    f.push_back({"corrupt_offset", std::to_string(n.decode.corrupt_offset)});
}

bool lossy(chunk_result const& r) { return r.notes.any_loss() || r.raw_not_stored == "message_size"; }

}  // namespace

void log_chunk(hourly_gate& gate, request_facts const& facts, std::size_t index, chunk_result const& result) {
  auto const* r = std::get_if<rejection>(&result.value);
  if (r == nullptr && !lossy(result)) return;
  auto fields = chunk_fields(facts, index, result.chunk_id);
  if (r != nullptr && r->why == reason::feature_disabled) {
    auto const key = "flag " + std::to_string(facts.scope.project->id) + " " + std::string(r->flag);
    if (!gate.pass(key, facts.received_us / 1'000'000)) return;
    log(log_level::warn, "profile chunks are dropped because the project lacks a feature",
        {fields[0], {"feature", std::string(r->flag)}});
    return;
  }
  auto level = log_level::warn;
  if (r != nullptr && r->why == reason::rate_limited) {
    auto const key = "quota " + std::to_string(facts.scope.project->id) + " " + longest(*r->limits).quota_id;
    if (!gate.pass(key, facts.received_us / 1'000'000)) level = log_level::debug;
  }
  if (r != nullptr && r->why == reason::filtered_ip_address) {
    auto const key = "address " + std::to_string(facts.scope.project->id);
    level = gate.pass(key, facts.received_us / 1'000'000) ? log_level::info : log_level::debug;
  }
  if (!result.raw_not_stored.empty())
    fields.push_back({"raw_profile_not_stored", std::string(result.raw_not_stored)});
  if (r == nullptr) {
    add_notes(fields, result.notes);
    return log(log_level::warn, "profile chunk kept with losses", fields);
  }
  fields.push_back({"reason", std::string(row_of(r->why).name)});
  if (!r->cause.empty()) fields.push_back({"cause", r->cause});
  if (!r->what.empty()) fields.push_back({"what", r->what});
  add_notes(fields, result.notes);
  if (r->why == reason::profiling_not_enough_samples) level = log_level::info;
  if (r->why == reason::internal) level = log_level::error;
  log(level, "profile chunk rejected", fields);
}

void log_not_kept(request_facts const& facts, std::size_t index, std::string_view chunk_id, reason why) {
  auto fields = chunk_fields(facts, index, chunk_id);
  fields.push_back({"reason", std::string(row_of(why).name)});
  fields.push_back({"what", why == reason::unavailable
                                ? "neither Kafka nor the spool took it"
                                : "the broker refuses its size even without the raw trace"});
  log(log_level::error, "profile chunk not kept", fields);
}

void log_not_served(hourly_gate& gate, envelope::item_counts const& counts, request_facts const& facts) {
  for (auto const& [type, n] : counts.not_served) {
    if (!gate.pass("type " + std::string(type), facts.received_us / 1'000'000)) continue;
    log(log_level::warn, "items of this type are not served here and dropped; route such traffic to Relay",
        {{"type", std::string(type)}, {"project", std::to_string(facts.scope.project->id)}});
  }
}

}  // namespace profile_relay::server
