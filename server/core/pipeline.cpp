#include "server/core/pipeline.hpp"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <exception>
#include <utility>

#include "perfetto_decode/packed.hpp"
#include "profile/outcome.hpp"

namespace profile_relay::server {

namespace {

/// Its header or, failing that, its metadata calls it Perfetto; broken splits count by their header.
bool is_perfetto(envelope::raw_chunk const& chunk, envelope::parsed_envelope const& env) {
  if (chunk.shape == envelope::chunk_shape::perfetto) return true;
  auto const& type = env.items[chunk.item_index].header.content_type;
  return type && std::ranges::equal(*type, envelope::perfetto_mime, [](char a, char b) {
           return std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b));
         });
}

rejection missing_flag(std::string_view flag) {
  return {reason::feature_disabled, "feature_disabled", "the project lacks the feature " + std::string(flag),
          flag};
}

std::string more_than(std::string_view what, std::size_t value, std::string_view key, std::size_t limit) {
  return std::string(what) + " of " + std::to_string(value) + " is over " + std::string(key) + " = " +
         std::to_string(limit);
}

rejection limited_by(std::shared_ptr<const rate_limits> limits) {
  auto const& l = longest(*limits);
  auto what = "quota " + (l.quota_id.empty() ? "without an id" : l.quota_id) + ", refused for " +
              std::to_string(l.retry_s) + " s";
  return {reason::rate_limited, l.reason_code, std::move(what), {}, std::move(limits)};
}

/// What the quotas say of a category before payloads are read, asked once for all chunks of a request.
class first_look {
 public:
  explicit first_look(quota_check const& look) : look_(look) {}
  /// The limits that refuse chunks of this platform, or null.
  std::shared_ptr<const rate_limits> operator()(std::string_view platform) {
    auto const category = envelope::category_of_platform(platform);
    auto& known = known_[category == envelope::data_category::profile_chunk ? 0 : 1];
    if (!known) known = std::make_shared<const rate_limits>(look_ ? look_(category) : rate_limits{});
    return known->empty() ? nullptr : known;
  }

 private:
  quota_check const& look_;
  std::array<std::shared_ptr<const rate_limits>, 2> known_;
};

/// All but the payload and the raw trace.
profile::profile_message message_of(request_facts const& facts, pipeline_settings const& s) {
  auto const& project = *facts.scope.project;
  profile::profile_message m;
  m.organization_id = project.organization_id;
  m.project_id = project.id;
  if (s.write_key_id && facts.scope.key != nullptr) m.key_id = facts.scope.key->numeric_id;
  m.received = static_cast<std::uint64_t>(facts.received_us / 1'000'000);
  m.retention_days = project.retention_days;
  return m;
}

/// The record of an expanded chunk, or its rejection if it cannot fit the message limit in any form.
void make_record(chunk_result& out, profile::expanded e, profile::profile_message message,
                 request_facts const& facts, pipeline_settings const& s) {
  if (s.store_raw) {
    message.raw_profile = e.raw_trace;
    message.raw_profile_content_type = e.raw_content_type;
  }
  if (!s.store_raw && !e.raw_trace.empty()) out.raw_not_stored = "dropped";
  // Decided before the record is built, so that a large trace is not copied for nothing.
  if (!message.raw_profile.empty() && e.payload().size() + e.raw_trace.size() > s.message_max_bytes) {
    message.raw_profile = {};
    out.raw_not_stored = "message_size";
  }
  auto record =
      profile::finish_profile_record(message, std::move(e.text), e.chunk_id, facts.received_us / 1'000);
  if (record.wire_size() > s.message_max_bytes && profile::strip_raw_profile(record)) {
    out.raw_not_stored = "message_size";
  }
  if (auto const size = record.wire_size(); size > s.message_max_bytes) {
    out.raw_not_stored = {};
    out.value = rejection{reason::profiling_exceed_size_limit,
                          "message_size",
                          more_than("message size", size, "message.max.bytes", s.message_max_bytes),
                          {}};
    return;
  }
  out.value = std::move(record);
}

void expand_into(chunk_result& out, envelope::raw_chunk const& raw, request_facts const& facts,
                 pipeline_settings const& s) {
  auto const& blocked = facts.scope.project->blocked_ips;
  auto message = message_of(facts, s);
  profile::text_place place{profile::encode_head(message), profile::tail_size(message)};
  if (s.store_raw && raw.trace.size() <= s.message_max_bytes) place.room_behind += raw.trace.size();
  auto done = profile::expand(raw, s.expand, blocked.contains(facts.remote_addr), std::move(place));
  out.chunk_id = std::move(done.chunk_id);
  out.notes = std::move(done.notes);
  if (!done.platform.empty()) out.category = envelope::category_of_platform(done.platform);
  if (!done.value) {
    auto const& e = done.value.error();
    out.value = rejection{to_reason(e.code), e.cause, e.what, {}};
    return;
  }
  make_record(out, std::move(*done.value), std::move(message), facts, s);
}

}  // namespace

std::vector<admitted_chunk> admit(envelope::parsed_envelope const& env, envelope::chunk_set set,
                                  config::project const& project, pipeline_settings const& s,
                                  quota_check const& look) {
  std::vector<admitted_chunk> out;
  first_look limits_of(look);
  out.reserve(set.chunks.size());
  std::size_t total = 0;
  std::uint32_t count = 0;
  for (auto& raw : set.chunks) {
    auto const size = raw.size();
    std::optional<rejection> refused;
    if (!project.continuous_profiling) {
      refused = missing_flag(flag_profiling);
    } else if (!project.continuous_profiling_perfetto && is_perfetto(raw, env)) {
      refused = missing_flag(flag_perfetto);
    } else if (auto limits = raw.platform ? limits_of(*raw.platform) : nullptr) {
      refused = limited_by(std::move(limits));
    } else if (size > s.max_profile_size) {
      refused = rejection{reason::too_large,
                          "item_size",
                          more_than("item size", size, "limits.max_profile_size", s.max_profile_size),
                          {}};
    } else if (s.max_chunk_count && count >= *s.max_chunk_count) {
      refused = rejection{
          reason::too_many_chunks,
          "chunk_count",
          more_than("chunk number", count + 1u, "limits.max_profile_chunk_count", *s.max_chunk_count),
          {}};
    } else if (size > s.max_profile_size - total) {
      refused = rejection{
          reason::too_large,
          "total_size",
          more_than("total size of the chunks", total + size, "limits.max_profile_size", s.max_profile_size),
          {}};
    } else {
      total += size;
      ++count;
    }
    out.push_back({std::move(raw), std::move(refused)});
  }
  return out;
}

chunk_result process(admitted_chunk const& chunk, request_facts const& facts, pipeline_settings const& s,
                     quota_check const& count) {
  chunk_result out;
  out.value = rejection{};
  if (chunk.raw.platform) out.category = envelope::category_of_platform(*chunk.raw.platform);
  if (chunk.refused) {
    out.value = *chunk.refused;
    return out;
  }
  try {
    expand_into(out, chunk.raw, facts, s);
    if (!count || !std::holds_alternative<profile::kafka_record>(out.value)) return out;
    if (auto limits = count(out.category); !limits.empty()) {
      out.raw_not_stored = {};
      out.value = limited_by(std::make_shared<const rate_limits>(std::move(limits)));
    }
  } catch (std::exception const& e) {
    out.raw_not_stored = {};
    out.value = rejection{reason::internal, "exception", e.what(), {}};
  }
  return out;
}

std::optional<profile::kafka_record> outcome_of(reason why, std::string_view chunk_id,
                                                envelope::data_category category, request_facts const& facts,
                                                pipeline_settings const& s, std::string_view random16,
                                                std::string_view quota_reason) {
  auto const& row = row_of(why);
  if (!s.emit_outcomes || row.outcome_id == 0) return std::nullopt;
  if (why == reason::feature_disabled && !s.emit_feature_disabled) return std::nullopt;
  profile::outcome o;
  o.timestamp_us = facts.received_us;
  o.org_id = facts.scope.project->organization_id;
  o.project_id = facts.scope.project->id;
  if (facts.scope.key != nullptr) o.key_id = facts.scope.key->numeric_id;
  o.id = static_cast<profile::outcome_id>(row.outcome_id);
  o.reason = why == reason::rate_limited ? quota_reason : row.outcome_reason;
  o.event_id = facts.event_id;
  o.remote_addr = facts.remote_addr;
  o.source = s.source;
  o.category = category;
  return profile::make_outcome_record(o, random16, chunk_id);
}

std::optional<profile::kafka_record> outcome_of_dead(profile::kafka_record const& dead, reason why,
                                                     pipeline_settings const& s, std::string_view random16) {
  if (dead.topic != profile::logical_topic::profiles) return std::nullopt;
  auto const message = profile::decode_profile_message(dead.value);
  if (!message) return std::nullopt;
  auto project = std::make_shared<config::project>();
  project->id = message->project_id;
  project->organization_id = message->organization_id;
  request_facts const facts{{std::move(project), nullptr}, dead.received_ms * 1'000, {}, {}};
  simdjson::dom::parser parser;
  std::string_view platform;
  auto const document = parser.parse(message->payload.data(), message->payload.size());
  if (document["platform"].get(platform) != simdjson::SUCCESS) platform = {};
  return outcome_of(why, dead.chunk_id, envelope::category_of_platform(platform), facts, s, random16);
}

std::size_t work_bytes(envelope::raw_chunk const& chunk, pipeline_settings const& s) {
  if (chunk.trace.empty()) return 4 * chunk.size();
  auto const& d = s.expand.decode;
  std::size_t const ceiling = d.working_bytes + d.result_bytes + 2 * s.max_profile_size + chunk.size();
  // All of it is looked at: a bundle behind plain packets would do its work on the thread that reads, and unaccounted.
  if (perfetto_decode::holds_packed(chunk.trace.bytes())) return ceiling;
  return std::min(ceiling, 8 * chunk.size() + (std::size_t{256} << 10));
}

}  // namespace profile_relay::server
