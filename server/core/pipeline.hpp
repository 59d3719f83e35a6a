#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/settings.hpp"
#include "envelope/envelope.hpp"
#include "envelope/raw_chunk.hpp"
#include "profile/expand.hpp"
#include "profile/kafka_record.hpp"
#include "server/core/rate_limiter.hpp"
#include "server/core/reason.hpp"
#include "server/core/scope.hpp"

namespace profile_relay::server {

/// The names of the organization flags, as project files and metrics spell them (contract 10).
inline constexpr std::string_view flag_profiling = "organizations:continuous-profiling";
inline constexpr std::string_view flag_perfetto = "organizations:continuous-profiling-perfetto";

/// What the pipeline needs of the settings.
struct pipeline_settings {
  profile::expand_limits expand;
  std::size_t max_profile_size = 50u << 20;  ///< of each chunk, and of an envelope's chunks together
  std::optional<std::uint32_t> max_chunk_count;
  bool accept_pairs = true;
  bool store_raw = true;     ///< processing.raw_profile: inline
  bool write_key_id = true;  ///< processing.profiles_key_id: auto
  bool emit_outcomes = true;
  bool emit_feature_disabled = false;
  std::string source;                          ///< outcomes.source
  std::size_t message_max_bytes = 50'000'000;  ///< the producer's limit, compared before producing
};
pipeline_settings make_pipeline_settings(config::settings const& s, std::size_t message_max_bytes);

/// What is known of a request when its chunks are looked at.
struct request_facts {
  project_scope scope;
  std::int64_t received_us = 0;  ///< Unix microseconds
  std::string event_id;          ///< 32 hex, "" = the envelope has none
  std::string remote_addr;       ///< "" = unknown
};

/// Why a chunk goes no further. `cause` is a fixed finer name, `what` one clause for the log.
struct rejection {
  reason why = reason::internal;
  std::string cause;
  std::string what;
  std::string_view flag;                        ///< for feature_disabled: which flag is missing
  std::shared_ptr<const rate_limits> limits{};  ///< for rate_limited: not empty
};

/// Asks the quotas for one chunk of a category, with or without counting it; empty = it may go on.
using quota_check = std::function<rate_limits(envelope::data_category)>;

/// A chunk on its way: what the envelope said of it, and whether it may go on to its payload.
struct admitted_chunk {
  envelope::raw_chunk raw;
  std::optional<rejection> refused;  ///< feature flag, quota, size or count
};

/// Checks that read no payload (contract 3.6, 5.5, 7), in this order: feature flags, quotas, then the size of
/// each chunk, then their number, then their running total. A chunk that one check refuses does not count for
/// the next ones. `look` asks the quotas without counting, once for each category; only chunks whose header
/// names the platform have one here, the others wait for `process`.
std::vector<admitted_chunk> admit(envelope::parsed_envelope const& env, envelope::chunk_set set,
                                  config::project const& project, pipeline_settings const& s,
                                  quota_check const& look = {});

/// Where a chunk ends if Kafka takes it, or why it does not get that far.
struct chunk_result {
  std::string chunk_id;  ///< "" when it could not be read
  envelope::data_category category = envelope::data_category::profile_chunk;
  profile::expand_notes notes;
  std::string_view
      raw_not_stored;  ///< why the raw trace is not in the record: "message_size", "dropped", or ""
  std::variant<profile::kafka_record, rejection> value;
};

/// Expands one admitted chunk and builds its record; a refused one keeps its rejection. Sizes are compared
/// with the message limit here, before anything is produced: a raw trace that does not fit is left out, a
/// payload that does not fit alone is profiling_exceed_size_limit. Exceptions become `internal`: one chunk's
/// trouble is its own. `count` counts the chunk, last of all, so that only what is to be produced uses up
/// quotas.
chunk_result process(admitted_chunk const& chunk, request_facts const& facts, pipeline_settings const& s,
                     quota_check const& count = {});

/// The outcome that a rejected chunk sends, if settings and reason want one. `random16` is the Kafka key's 16
/// bytes for requests without an event id. `quota_reason` is the outcome's reason of a rate-limited chunk.
std::optional<profile::kafka_record> outcome_of(reason why, std::string_view chunk_id,
                                                envelope::data_category category, request_facts const& facts,
                                                pipeline_settings const& s, std::string_view random16,
                                                std::string_view quota_reason = {});

/// The same for a record that was answered 200 from the spool and then refused by the broker for good. What the record
/// itself does not say (key, event, client address) is left out. Absent also when the record is no chunk's message.
std::optional<profile::kafka_record> outcome_of_dead(profile::kafka_record const& dead, reason why,
                                                     pipeline_settings const& s, std::string_view random16);

/// Bytes to lease for the work on one chunk besides its input, before it starts: the decoder's memory, the
/// payload and the record. Proportional to the input with the configured bounds as ceiling; a chunk whose
/// record turns out larger has its lease raised afterwards. JSON is parsed, written and copied into the
/// record: 4 times its size. A trace takes 8 times (fields of a few bytes become text of some dozen), or the
/// full bounds if any of it is compressed.
std::size_t work_bytes(envelope::raw_chunk const& chunk, pipeline_settings const& s);

}  // namespace profile_relay::server
