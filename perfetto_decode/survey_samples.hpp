#pragma once

#include <cstdint>
#include <string>

#include "perfetto_decode/packet.hpp"
#include "perfetto_decode/survey.hpp"

namespace profile_relay::perfetto_decode {

/// Counts the sample payload of a packet into `to` and returns how many samples it holds.
std::uint64_t survey_sample_packet(packet_view const& p, sample_survey& to);

/// What TracePacketDefaults say of their samples.
struct defaults_survey {
  std::uint32_t clock = 0;
  std::string timebase, source;
};
defaults_survey survey_defaults(byte_span message);

/// Entries of an InternedData message: all, and the callstacks among them.
struct interned_survey {
  std::uint64_t entries = 0, callstacks = 0;
};
interned_survey survey_interned(byte_span message);

}  // namespace profile_relay::perfetto_decode
