// The ONE table of the client's options: what is refused and what the document says.
#pragma once

#include <span>
#include <string>

#include "profile_relay/profiler.hpp"

namespace profile_relay::sdk {

struct option_row {
  char const* name;
  char const* type;
  char const* standard;  ///< as a reader of the document should see it
  char const* description;
  /// Why the value is refused; empty when it is not. A null pointer refuses nothing.
  std::string (*refused)(profiler_options const&);
};

/// In the order of the members of profiler_options.
std::span<const option_row> option_table();

/// docs/profiler-options.md.
std::string option_page();

}  // namespace profile_relay::sdk
