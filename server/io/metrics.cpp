#include "server/io/metrics.hpp"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <array>
#include <map>
#include <vector>

#include "perfetto_decode/counters.hpp"
#include "server/core/pipeline.hpp"
#include "server/core/pipeline_notes.hpp"

namespace profile_relay::server {

namespace {

using prometheus::Counter;
using prometheus::Family;
using prometheus::Gauge;

// From a chunk of some kilobytes answered from memory to the 10 s that a broker's absence may take (contract
// 13).
const prometheus::Histogram::BucketBoundaries duration_buckets{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                                               0.25,  0.5,    1,     2.5,  5,     10};

double number(std::uint64_t v) { return static_cast<double>(v); }
// A count that somebody else keeps. Two scrapes at once may see it in either order.
void count_to(Counter& c, std::uint64_t total) {
  if (auto const more = number(total) - c.Value(); more > 0) c.Increment(more);
}
double seconds(std::chrono::milliseconds v) { return static_cast<double>(v.count()) / 1000.0; }

}  // namespace

struct metrics::impl {
  prometheus::Registry registry;

  Family<Counter>& family(char const* name, char const* help) {
    return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
  }
  Counter& single(char const* name, char const* help) { return family(name, help).Add({}); }
  Gauge& gauge(char const* name, char const* help) {
    return prometheus::BuildGauge().Name(name).Help(help).Register(registry).Add({});
  }

  std::map<int, Counter*> requests;
  std::vector<Counter*> rejected_requests, rejected_chunks;  // by reason
  std::array<Counter*, 3> chunk_ends{};                      // by disposition::kind
  std::array<Counter*, 4> outcome_ends{};                    // by record_end
  std::map<std::string_view, Counter*> flags, raw_causes;
  Family<Counter>* not_served_family = nullptr;
  std::vector<Counter*> decode;      // by perfetto_decode::counter
  std::vector<Counter*> conversion;  // by row of note_counters()

  Counter& empty = single("profile_relay_envelopes_empty_total", "Envelopes without items");
  Counter& unknown = single("profile_relay_items_unknown_total", "Items of unknown types, removed");
  Counter& data_replaced = single("profile_relay_profile_chunk_data_replaced_total",
                                  "profile_chunk_data items replaced by a later one for the same chunk");
  Counter& data_orphaned = single("profile_relay_profile_chunk_data_orphaned_total",
                                  "profile_chunk_data items without a chunk, dropped");
  Counter& without_platform = single("profile_relay_profile_chunks_without_platform_total",
                                     "JSON chunks whose platform came from the payload");
  Counter& sdk_missing = single("profile_relay_client_sdk_missing_total", "Chunks without client_sdk");
  Counter& client_profile_kept =
      single("profile_relay_client_profile_kept_total",
             "Perfetto chunks that already had a profile; the trace was not converted");
  Counter& untracked =
      single("profile_relay_untracked_chunks_total", "Chunks dropped without an end: a bug, must stay 0");
  prometheus::Histogram& duration = prometheus::BuildHistogram()
                                        .Name("profile_relay_request_duration_seconds")
                                        .Help("From the first byte of a request to its reply")
                                        .Register(registry)
                                        .Add({}, duration_buckets);

  Gauge& spool_records = gauge("profile_relay_spool_records", "Records in the spool, dead ones included");
  Gauge& spool_bytes = gauge("profile_relay_spool_bytes", "Bytes of the spool");
  Gauge& spool_dead = gauge("profile_relay_spool_dead_records", "Records the broker refused for good");
  Gauge& spool_oldest =
      gauge("profile_relay_spool_oldest_age_seconds", "Age of the oldest spooled record, 0 if none");
  Gauge& spool_set_aside =
      gauge("profile_relay_spool_damaged_files", "Damaged databases set aside in the spool's folder");
  Gauge& spool_salvaged =
      gauge("profile_relay_spool_records_salvaged", "Records read out of damaged databases since the start");
  Gauge& spool_lost = gauge("profile_relay_spool_records_lost",
                            "Records that damaged databases are known to have lost, since the start");
  Gauge& spool_failed = gauge("profile_relay_spool_failed", "1 while the last write to the spool failed");
  Gauge& spool_room = gauge("profile_relay_spool_has_room", "1 while the spool takes new chunks");
  Gauge& inflight_records =
      gauge("profile_relay_kafka_inflight_records", "Records Kafka has not acknowledged yet");
  Gauge& inflight_bytes = gauge("profile_relay_kafka_inflight_bytes", "Bytes Kafka has not acknowledged yet");
  Gauge& ack_age =
      gauge("profile_relay_kafka_last_ack_age_seconds", "Age of the last acknowledgement, -1 if none yet");
  Gauge& kafka_configured = gauge("profile_relay_kafka_configured", "1 with a broker, 0 in spool-only mode");
  Gauge& kafka_progress =
      gauge("profile_relay_kafka_progress", "1 while Kafka acknowledges what it was given");
  Gauge& kafka_away =
      gauge("profile_relay_kafka_away", "1 while new records go to the spool because Kafka took none lately");
  Counter& recreated = single("profile_relay_kafka_producers_recreated_total",
                              "Times all producers were replaced because one was stuck or broken");
  Counter& late_reports = single("profile_relay_kafka_late_reports_total",
                                 "Reports of records that had been given up to the spool already");
  Gauge& delivered =
      gauge("profile_relay_records_delivered", "Records acknowledged by the broker since the start");
  Gauge& spooled = gauge("profile_relay_records_spooled", "Records stored in the spool since the start");
  Gauge& drained =
      gauge("profile_relay_records_drained", "Records delivered out of the spool since the start");
  Gauge& failed =
      gauge("profile_relay_records_failed", "Records that found no place or were refused for good");
  Gauge& raw_dropped = gauge("profile_relay_records_raw_dropped", "Records resent without their raw trace");
  Gauge& budget_used =
      gauge("profile_relay_budget_bytes_used", "Bytes leased from limits.max_inflight_bytes");
  Gauge& budget_peak = gauge("profile_relay_budget_bytes_peak", "Most bytes ever leased at once");
  Gauge& budget_max = gauge("profile_relay_budget_bytes_max", "limits.max_inflight_bytes");
  Gauge& rate_counts = gauge("profile_relay_rate_counters", "Counters of quotas kept in this process");
  Gauge& rate_bytes = gauge("profile_relay_rate_counters_bytes", "Memory of the counters of quotas");
  Gauge& rate_uncounted = gauge("profile_relay_rate_counters_uncounted",
                                "Counts of quotas given up since the start because their table was full");
  Gauge& connections = gauge("profile_relay_connections", "Open connections");
  Gauge& projects = gauge("profile_relay_projects", "Projects in force");
  Gauge& broken =
      gauge("profile_relay_projects_broken", "Project files whose current content is not in force");
  Gauge& memory_used =
      gauge("profile_relay_memory_bytes_used", "Memory of the cgroup, droppable cache excluded");
  Gauge& memory_limit = gauge("profile_relay_memory_bytes_limit", "Limit of the cgroup, 0 if unknown");
  Gauge& ready = gauge("profile_relay_ready", "What /api/relay/healthcheck/ready/ answers");

  impl() {
    auto& by_status = family("profile_relay_requests_total", "HTTP replies by status");
    auto& by_reason = family("profile_relay_requests_rejected_total", "Requests refused, by reason");
    auto& chunk_reason = family("profile_relay_chunks_rejected_total", "Chunks rejected, by reason");
    requests[200] = &by_status.Add({{"status", "200"}});
    for (auto const& row : reason_table()) {
      std::string const name(row.name);
      if (!requests.contains(row.status))
        requests[row.status] = &by_status.Add({{"status", std::to_string(row.status)}});
      rejected_requests.push_back(ends_requests(row.id) ? &by_reason.Add({{"reason", name}}) : nullptr);
      rejected_chunks.push_back(ends_chunks(row.id) ? &chunk_reason.Add({{"reason", name}}) : nullptr);
    }
    auto& ends = family("profile_relay_chunks_total", "Chunks by their end; each chunk has exactly one");
    constexpr std::array end_names{"delivered", "spooled", "rejected"};
    for (std::size_t i = 0; i < end_names.size(); ++i) chunk_ends[i] = &ends.Add({{"end", end_names[i]}});
    auto& outcomes = family("profile_relay_outcomes_total", "Outcome records by their end");
    for (auto e :
         {record_end::delivered, record_end::spooled, record_end::too_large, record_end::unavailable})
      outcome_ends[static_cast<std::size_t>(e)] = &outcomes.Add({{"end", std::string(to_string(e))}});
    auto& by_flag =
        family("profile_relay_profile_chunks_feature_disabled_total", "Chunks dropped by a missing feature");
    for (auto flag : {flag_profiling, flag_perfetto})
      flags[flag] = &by_flag.Add({{"flag", std::string(flag)}});
    auto& raw = family("profile_relay_raw_profile_not_stored_total",
                       "Messages sent without their raw trace, by cause");
    for (std::string_view cause : {"message_size", "dropped"})
      raw_causes[cause] = &raw.Add({{"cause", std::string(cause)}});
    not_served_family =
        &family("profile_relay_items_not_served_total", "Items of types that are not served here");
    auto& decoder = family("profile_relay_decode_total", "What the trace decoder noticed, by counter");
    for (auto const& row : perfetto_decode::counter_table())
      decode.push_back(&decoder.Add({{"counter", std::string(row.name)}}));
    auto& converter =
        family("profile_relay_conversion_total", "What the conversion to Sample v2 noticed, by counter");
    for (auto const& row : note_counters())
      conversion.push_back(&converter.Add({{"counter", std::string(row.name)}}));
  }
};

metrics::metrics() : impl_(std::make_unique<impl>()) {}
metrics::~metrics() = default;

void metrics::request(int status, double took) {
  if (auto const it = impl_->requests.find(status); it != impl_->requests.end()) it->second->Increment();
  impl_->duration.Observe(took);
}

void metrics::request_rejected(reason r) {
  if (auto* c = impl_->rejected_requests[static_cast<std::size_t>(r)]) c->Increment();
}

void metrics::envelope_empty() { impl_->empty.Increment(); }

void metrics::items(envelope::item_counts const& counts) {
  // The types come from the fixed list of contract 2, so the labels are bounded; Add finds an existing one.
  for (auto const& [type, n] : counts.not_served)
    impl_->not_served_family->Add({{"type", std::string(type)}}).Increment(number(n));
  if (counts.unknown != 0) impl_->unknown.Increment(number(counts.unknown));
  if (counts.data_replaced != 0) impl_->data_replaced.Increment(number(counts.data_replaced));
  if (counts.data_orphaned != 0) impl_->data_orphaned.Increment(number(counts.data_orphaned));
}

void metrics::chunk(disposition d) {
  impl_->chunk_ends[static_cast<std::size_t>(d.what())]->Increment();
  if (d.accepted()) return;
  if (auto* c = impl_->rejected_chunks[static_cast<std::size_t>(d.why())]) c->Increment();
}

void metrics::chunk_feature_disabled(std::string_view flag) {
  if (auto const it = impl_->flags.find(flag); it != impl_->flags.end()) it->second->Increment();
}

void metrics::notes(profile::expand_notes const& n) {
  if (n.platform_from_payload) impl_->without_platform.Increment();
  if (n.client_sdk_missing) impl_->sdk_missing.Increment();
  if (n.client_profile_kept) impl_->client_profile_kept.Increment();
  for (std::size_t i = 0; auto const& row : note_counters()) {
    if (auto const value = n.*row.value; value != 0) impl_->conversion[i]->Increment(number(value));
    ++i;
  }
  for (auto const& row : perfetto_decode::counter_table())
    if (auto const value = n.decode[row.id]; value != 0)
      impl_->decode[static_cast<std::size_t>(row.id)]->Increment(number(value));
}

void metrics::raw_profile_not_stored(std::string_view cause) {
  if (auto const it = impl_->raw_causes.find(cause); it != impl_->raw_causes.end()) it->second->Increment();
}

void metrics::outcome(record_end e) { impl_->outcome_ends[static_cast<std::size_t>(e)]->Increment(); }
void metrics::untracked_chunk() { impl_->untracked.Increment(); }

std::string metrics::render(gauges const& g) {
  auto& m = *impl_;
  auto const& d = g.delivery;
  m.spool_records.Set(number(d.spool_records));
  m.spool_bytes.Set(number(d.spool_bytes));
  m.spool_dead.Set(number(d.spool_dead_records));
  m.spool_set_aside.Set(number(d.spool_set_aside));
  m.spool_salvaged.Set(number(d.spool_salvaged));
  m.spool_lost.Set(number(d.spool_lost));
  m.spool_failed.Set(d.spool_failed ? 1 : 0);
  m.spool_oldest.Set(d.oldest_spooled_age ? seconds(*d.oldest_spooled_age) : 0);
  m.spool_room.Set(d.spool_has_room && !d.spool_failed ? 1 : 0);
  m.inflight_records.Set(number(d.in_flight_records));
  m.inflight_bytes.Set(number(d.in_flight_bytes));
  m.ack_age.Set(d.last_ack_age ? seconds(*d.last_ack_age) : -1);
  m.kafka_configured.Set(d.kafka_configured ? 1 : 0);
  m.kafka_progress.Set(d.kafka_progress ? 1 : 0);
  m.kafka_away.Set(d.kafka_away ? 1 : 0);
  count_to(m.recreated, d.producers_recreated_total);
  count_to(m.late_reports, d.late_reports_total);
  m.delivered.Set(number(d.delivered_total));
  m.spooled.Set(number(d.spooled_total));
  m.drained.Set(number(d.drained_total));
  m.failed.Set(number(d.failed_total));
  m.raw_dropped.Set(number(d.raw_dropped_total));
  m.budget_used.Set(number(g.budget_used));
  m.budget_peak.Set(number(g.budget_max_used));
  m.budget_max.Set(number(g.budget_capacity));
  m.rate_counts.Set(number(g.rates.counters));
  m.rate_bytes.Set(number(g.rates.bytes));
  m.rate_uncounted.Set(number(g.rates.uncounted));
  m.connections.Set(number(g.connections));
  m.projects.Set(number(g.projects));
  m.broken.Set(number(g.broken_projects));
  m.memory_used.Set(number(g.memory_used));
  m.memory_limit.Set(number(g.memory_limit));
  m.ready.Set(g.ready ? 1 : 0);
  return prometheus::TextSerializer().Serialize(m.registry.Collect());
}

}  // namespace profile_relay::server
