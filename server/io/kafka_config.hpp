#pragma once

#include <librdkafka/rdkafka.h>

#include <cstdint>
#include <memory>
#include <string>

#include "config/settings.hpp"
#include "server/io/delivery_error.hpp"

namespace profile_relay::server {

struct kafka_conf_closer {
  void operator()(rd_kafka_conf_t* c) const noexcept { rd_kafka_conf_destroy(c); }
};
using kafka_conf_ptr = std::unique_ptr<rd_kafka_conf_t, kafka_conf_closer>;

/// librdkafka's configuration for one producer: our defaults (kafka-and-consumers 1, contract 13), then the
/// operator's properties word for word. `name` is empty for processing.kafka_config, else a key of
/// secondary_kafka_configs. Refuses a property or value that librdkafka refuses, in its words, and a name
/// that is not configured.
///
/// `queue_bytes` bounds librdkafka's queue; whoever submits keeps below it, so that it is never the one to
/// say no.
start_result<kafka_conf_ptr> make_kafka_conf(config::settings::processing_section const& processing,
                                             std::string const& name, std::uint64_t queue_bytes);

/// A property's value in force; empty if it has none.
std::string kafka_property(rd_kafka_conf_t const* conf, char const* name);
/// The same of a number; 0 if it is none.
std::uint64_t kafka_number(rd_kafka_conf_t const* conf, char const* name);
/// `message.max.bytes` in force.
std::uint64_t message_max_bytes(rd_kafka_conf_t const* conf);

}  // namespace profile_relay::server
