#include "server/core/readiness.hpp"

#include <nlohmann/json.hpp>

namespace profile_relay::server {

namespace {

constexpr std::uint64_t mib = 1u << 20;

std::string mebibytes(std::uint64_t bytes) { return std::to_string(bytes / mib) + " MiB"; }

readiness::check memory_check(readiness_facts const& f) {
  if (!f.memory) return {"memory", "the probe failed or was slower than health.probe_timeout_ms", false};
  bool const over = over_mark(*f.memory, f.mark);
  std::string text = mebibytes(f.memory->used) + " of " +
                     (f.memory->limit == 0 ? std::string("an unknown limit") : mebibytes(f.memory->limit));
  if (over) text += ", over the mark of health.max_memory_percent or max_memory_bytes";
  return {"memory", std::move(text), !over};
}

readiness::check kafka_check(delivery_status const& d) {
  if (!d.kafka_configured) return {"kafka", "not configured", true};
  std::string text = d.kafka_progress ? "ok" : "no progress";
  if (d.kafka_away) text += ", away: new records go to the spool";
  text += ", " + std::to_string(d.in_flight_records) + " records in flight";
  if (d.last_ack_age) text += ", last acknowledgement " + std::to_string(d.last_ack_age->count()) + " ms ago";
  return {"kafka", std::move(text), d.kafka_progress};
}

readiness::check spool_check(delivery_status const& d) {
  bool const ok = d.spool_has_room && !d.spool_failed;
  std::string text = d.spool_failed ? "the last write failed" : d.spool_has_room ? "ok" : "full";
  text += ", " + std::to_string(d.spool_records) + " records, " + mebibytes(d.spool_bytes);
  if (d.spool_dead_records > 0) text += ", " + std::to_string(d.spool_dead_records) + " dead";
  // Told as long as the file lies there, but never unready: what was readable is in use again.
  if (d.spool_set_aside > 0)
    text += ", " + std::to_string(d.spool_set_aside) + " damaged database(s) set aside, see the log";
  if (d.spool_lost > 0) text += ", " + std::to_string(d.spool_lost) + " records lost in them";
  return {"spool", std::move(text), ok};
}

}  // namespace

bool over_mark(memory_reading const& memory, memory_mark const& mark) {
  if (mark.max_bytes && memory.used >= *mark.max_bytes) return true;
  return memory.limit > 0 &&
         static_cast<double>(memory.used) >= mark.max_percent * static_cast<double>(memory.limit);
}

readiness decide_readiness(readiness_facts const& f) {
  readiness r;
  r.checks.push_back({"draining", f.draining ? "shutting down" : "no", !f.draining});
  r.checks.push_back(memory_check(f));
  auto const kafka = kafka_check(f.delivery);
  auto const spool = spool_check(f.delivery);
  // Either place is enough to keep a chunk; without a broker only the spool can.
  bool const has_place = f.delivery.kafka_configured ? kafka.ok || spool.ok : spool.ok;
  r.ready = r.checks[0].ok && r.checks[1].ok && has_place;
  r.checks.push_back(kafka);
  r.checks.push_back(spool);
  std::string projects = std::to_string(f.projects) + " in force";
  if (f.broken_projects > 0) {
    projects += ", " + std::to_string(f.broken_projects) + " broken file(s), see the log";
  }
  r.checks.push_back({"projects", std::move(projects), f.broken_projects == 0});
  return r;
}

std::string to_json(readiness const& r) {
  nlohmann::ordered_json body{{"is_healthy", r.ready}};
  auto& checks = body["checks"] = nlohmann::ordered_json::object();
  for (auto const& c : r.checks) checks[c.name] = c.ok ? c.text : "failed: " + c.text;
  return body.dump();
}

}  // namespace profile_relay::server
