#pragma once

#include <string>
#include <string_view>

#include "server/core/reason.hpp"

namespace profile_relay::server {

/// What an operator or the author of a client can do about this end.
std::string_view advice_for(reason r);

/// The table of reasons as a page of Markdown for operators: docs/reasons.md.
std::string reasons_markdown();

}  // namespace profile_relay::server
