#pragma once

#include <librdkafka/rdkafka.h>

#include "server/core/record_io.hpp"

namespace profile_relay::server {

/// What an error of a produce call or of a delivery report means for its record. The ONE table.
///
/// Unlisted errors of librdkafka itself (negative codes) are retriable: they speak of this client's state,
/// not of the record. Unlisted errors of a broker are `refused`: an answer nobody foresaw must not stop the
/// backlog for ever, and a refused record is kept and listed.
produce_report::kind classify(rd_kafka_resp_err_t e);

}  // namespace profile_relay::server
