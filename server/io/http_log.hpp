#pragma once

#include <cstddef>
#include <string_view>

#include "envelope/raw_chunk.hpp"
#include "server/core/pipeline.hpp"
#include "server/io/logging.hpp"

namespace profile_relay::server {

/// The lines about chunks: one for each rejected or lossy one, none for a healthy one. A missing feature flag
/// is told once per project, flag and hour; of a quota's refusals the first of an hour is a warning and the
/// others are told at debug, because a full quota refuses all that comes. The same for a blocked address, at info: the
/// project wants it so. `not_enough_samples` at info, because it is a normal case in the field.
void log_chunk(hourly_gate& gate, request_facts const& facts, std::size_t index, chunk_result const& result);

/// A chunk that neither Kafka nor the spool could take, or that the broker found too large.
void log_not_kept(request_facts const& facts, std::size_t index, std::string_view chunk_id, reason why);

/// Once per type and hour, with the advice to route such traffic to Relay.
void log_not_served(hourly_gate& gate, envelope::item_counts const& counts, request_facts const& facts);

}  // namespace profile_relay::server
