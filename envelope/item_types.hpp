#pragma once

#include <cstdint>
#include <string_view>

namespace profile_relay::envelope {

/// What is done with an item of a type. Source: the table of ingestion contract 2.
enum class item_kind : std::uint8_t {
  chunk,       ///< processed
  chunk_data,  ///< the trace of a pair
  not_served,  ///< known to Relay, parsed past and counted here
  internal,    ///< only relays send it: refuses the envelope
  unknown,     ///< removed and counted
};

struct item_class {
  item_kind kind;
  std::string_view name;  ///< for `not_served`: the type, in static storage, fit for a label; else empty
};

/// Types are compared exactly, as Relay does.
item_class classify(std::string_view type);

}  // namespace profile_relay::envelope
