#pragma once

#include <cstddef>
#include <string>

#include "profile/error.hpp"
#include "profile/sample_v2.hpp"

namespace profile_relay::profile {

/// Where a text is written: behind `before`, in a string that has room for `room_behind` bytes more. A record that is built
/// around the payload needs no copy of it.
struct text_place {
  std::string before;
  std::size_t room_behind = 0;
};

/// The payload: compact JSON, keys in the order of kafka-and-consumers 4 and 7, numbers as contract 13 says.
/// Expects a normalised chunk (times in order and above 0). Linear, in one pass into one string.
/// Refuses with `exceed_size_limit` a text of more than `max_bytes`, without ever holding much more than
/// that, and with `failed_serialization` one that is not UTF-8, which would be our own defect.
/// Returns `place.before` and the payload behind it; `max_bytes` counts the payload alone.
result<std::string> write_json(sample_v2::chunk const& c, std::size_t max_bytes, text_place place = {});

}  // namespace profile_relay::profile
