#include <catch2/catch.hpp>

#include "server/io/kafka_config.hpp"
#include "server/io/kafka_errors.hpp"

using namespace profile_relay;
using namespace profile_relay::server;
using kind = produce_report::kind;

TEST_CASE("our defaults are in force unless the operator says otherwise") {
  config::settings::processing_section p;
  auto const value = [&](char const* name) {
    auto const conf = make_kafka_conf(p, "", 128u << 20);
    REQUIRE(conf.has_value());
    return kafka_property(conf->get(), name);
  };
  CHECK(value("message.max.bytes") == "50000000");
  CHECK(value("compression.type") == "lz4");
  CHECK(value("acks") == "-1");  // librdkafka's way to write "all"
  CHECK(value("message.timeout.ms") == "5000");
  CHECK(value("linger.ms") == "1");
  CHECK(value("enable.idempotence") == "false");
  CHECK(value("queue.buffering.max.kbytes") == "131073");
  p.kafka_config = {
      {"message.max.bytes", "2000000"}, {"compression.type", "none"}, {"linger.ms", "7"}, {"linger.ms", "9"}};
  CHECK(value("message.max.bytes") == "2000000");
  CHECK(value("compression.type") == "none");
  CHECK(value("linger.ms") == "9");
  CHECK(message_max_bytes(make_kafka_conf(p, "", 1)->get()) == 2'000'000);
}

TEST_CASE("a property that librdkafka refuses is named in its words, with the place to look") {
  config::settings::processing_section p;
  auto const error = [&](std::string const& name) {
    auto const conf = make_kafka_conf(p, name, 1 << 20);
    REQUIRE(conf.has_error());
    return conf.error().what;
  };
  p.kafka_config = {{"bootstrap.server", "x"}};
  CHECK_THAT(error(""),
             Catch::StartsWith("processing.kafka_config: bootstrap.server: ") && Catch::Contains("No such"));
  p.kafka_config = {{"linger.ms", "soon"}};
  CHECK_THAT(error(""), Catch::StartsWith("processing.kafka_config: linger.ms: "));
  p.kafka_config = {{"acks", "17000000"}};
  CHECK_THAT(error(""), Catch::StartsWith("processing.kafka_config: acks: "));
  CHECK_THAT(error("big"), Catch::StartsWith("processing.secondary_kafka_configs.big: ") &&
                               Catch::Contains("does not exist"));
  p.secondary_kafka_configs["big"] = {{"acks", "1"}};
  CHECK_THAT(error("big"), Catch::StartsWith("processing.secondary_kafka_configs.big: bootstrap.servers"));
  p.secondary_kafka_configs["big"] = {{"nonsense", "1"}};
  CHECK_THAT(error("big"), Catch::StartsWith("processing.secondary_kafka_configs.big: nonsense"));
}

TEST_CASE("what an error of Kafka means for its record") {
  struct row {
    rd_kafka_resp_err_t error;
    kind expected;
  };
  row const rows[] = {
      {RD_KAFKA_RESP_ERR_NO_ERROR, kind::acked},
      // too large, by librdkafka or by the broker
      {RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, kind::too_large},
      {RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE, kind::too_large},
      // this client's or the cluster's state
      {RD_KAFKA_RESP_ERR__MSG_TIMED_OUT, kind::retriable},
      {RD_KAFKA_RESP_ERR__TIMED_OUT, kind::retriable},
      {RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE, kind::retriable},
      {RD_KAFKA_RESP_ERR__TRANSPORT, kind::retriable},
      {RD_KAFKA_RESP_ERR__QUEUE_FULL, kind::retriable},
      {RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, kind::retriable},
      {RD_KAFKA_RESP_ERR__RESOLVE, kind::retriable},
      {RD_KAFKA_RESP_ERR__SSL, kind::retriable},
      {RD_KAFKA_RESP_ERR__AUTHENTICATION, kind::retriable},
      {RD_KAFKA_RESP_ERR__PURGE_QUEUE, kind::retriable},
      {RD_KAFKA_RESP_ERR__PURGE_INFLIGHT, kind::retriable},
      {RD_KAFKA_RESP_ERR__FATAL, kind::retriable},
      {RD_KAFKA_RESP_ERR__DESTROY, kind::retriable},
      {RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC, kind::retriable},
      {RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION, kind::retriable},
      {RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, kind::retriable},
      {RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE, kind::retriable},
      {RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, kind::retriable},
      {RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT, kind::retriable},
      {RD_KAFKA_RESP_ERR_BROKER_NOT_AVAILABLE, kind::retriable},
      {RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION, kind::retriable},
      {RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, kind::retriable},
      {RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND, kind::retriable},
      {RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR, kind::retriable},
      {RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED, kind::retriable},
      {RD_KAFKA_RESP_ERR_THROTTLING_QUOTA_EXCEEDED, kind::retriable},
      {RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, kind::retriable},
      {RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED, kind::retriable},
      // the record
      {RD_KAFKA_RESP_ERR_INVALID_MSG, kind::refused},
      {RD_KAFKA_RESP_ERR_INVALID_RECORD, kind::refused},
      {RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP, kind::refused},
      {RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION, kind::refused},
      {RD_KAFKA_RESP_ERR_POLICY_VIOLATION, kind::refused},
      {RD_KAFKA_RESP_ERR_UNSUPPORTED_FOR_MESSAGE_FORMAT, kind::refused},
      {RD_KAFKA_RESP_ERR_UNSUPPORTED_COMPRESSION_TYPE, kind::refused},
      {RD_KAFKA_RESP_ERR__BAD_MSG, kind::refused},
      {RD_KAFKA_RESP_ERR__INVALID_ARG, kind::refused},
      // nobody foresaw
      {RD_KAFKA_RESP_ERR_UNKNOWN, kind::retriable},
      {RD_KAFKA_RESP_ERR_FEATURE_UPDATE_FAILED, kind::refused},
  };
  for (auto const& r : rows) {
    CAPTURE(rd_kafka_err2name(r.error), r.error);
    CHECK(classify(r.error) == r.expected);
  }
}
