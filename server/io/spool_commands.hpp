#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>

#include "profile/kafka_record.hpp"
#include "server/io/delivery_error.hpp"

namespace profile_relay::server {

/// What an operator changes in a spool, with or without a server running on it. Each call is one short transaction;
/// a running server sees it within a second. Errors name the record and say why: no such record, in flight, not
/// dead, no spool there, another format.

/// Makes the outcome of a chunk that is taken out; absent = none is wanted, or the record is none of a chunk.
using removal_outcome = std::function<std::optional<profile::kafka_record>(profile::kafka_record const&)>;

struct removal {
  bool outcome_stored = false;
};

/// Takes the record `key` out for good. Its chunk was answered 200, so in the same transaction its outcome is stored,
/// which the server then sends; not for a dead record, whose outcome was sent when it died. Refuses a record that is
/// in flight: a server has it, and may have sent it.
start_result<removal> remove_record(std::filesystem::path const& dir, std::int64_t key,
                                    removal_outcome const& outcome);

/// Lets a dead record wait again. Refuses any other. The outcome that was sent for it stays sent; if it dies again
/// there is no second one.
std::optional<start_error> retry_record(std::filesystem::path const& dir, std::int64_t key);

}  // namespace profile_relay::server
