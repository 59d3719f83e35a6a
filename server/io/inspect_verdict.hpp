#pragma once

#include "server/io/inspection.hpp"

namespace profile_relay::server {

/// Of an inspection whose other members are filled.
inspect_verdict verdict_of(inspection const& i);

/// Upper case, for the top line: "EMPTY".
std::string_view verdict_title(std::string_view code);

}  // namespace profile_relay::server
