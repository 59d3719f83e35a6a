#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "perfetto_decode/decoded_trace.hpp"

namespace profile_relay::server {

/// `inspect --json`, one document. With `samples` every decoded sample is listed, leaf first, numbers unsigned, so that
/// other tools' output can be compared with it.
std::string inspect_json(std::size_t bytes, perfetto_decode::decoded_trace const& t, bool samples);

/// Without control characters, for terminals.
std::string printable(std::string_view text);

}  // namespace profile_relay::server
