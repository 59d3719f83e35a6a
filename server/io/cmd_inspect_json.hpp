#pragma once

#include <iosfwd>
#include <nlohmann/json.hpp>

#include "server/io/inspection.hpp"

namespace profile_relay::server {

/// `inspect --json`, one document: all that the text shows, lists in full. With `samples` every decoded sample is listed,
/// leaf first, numbers unsigned, so that other tools' output can be compared with it.
void print_inspection_json(std::ostream& to, inspection const& i, bool samples);

/// {"reason": ..., "cause": ..., "detail": ..., "offset": ...}: why a chunk is rejected.
nlohmann::ordered_json rejection_json(profile::error const& e);

/// The keys that tell what a trace is made of.
void add_survey_json(nlohmann::ordered_json& out, perfetto_decode::survey const& s);

}  // namespace profile_relay::server
