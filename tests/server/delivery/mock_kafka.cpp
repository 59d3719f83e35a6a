#include "tests/server/delivery/mock_kafka.hpp"

#include <array>
#include <chrono>
#include <stdexcept>

namespace profile_relay::server {
namespace {

constexpr std::int16_t produce_request = 0;

void quiet(rd_kafka_t const*, int, char const*, char const*) {}

rd_kafka_t* handle(rd_kafka_type_t type, std::vector<std::pair<char const*, std::string>> const& properties) {
  auto* conf = rd_kafka_conf_new();
  rd_kafka_conf_set_log_cb(conf, &quiet);
  std::array<char, 512> words{};
  for (auto const& [name, value] : properties)
    if (rd_kafka_conf_set(conf, name, value.c_str(), words.data(), words.size()) != RD_KAFKA_CONF_OK)
      throw std::runtime_error(words.data());
  auto* k = rd_kafka_new(type, conf, words.data(), words.size());
  if (!k) throw std::runtime_error(words.data());
  return k;
}

mock_kafka::message copy(rd_kafka_message_t const& m) {
  mock_kafka::message out;
  out.value.assign(static_cast<char const*>(m.payload), m.len);
  if (m.key) out.key.emplace(static_cast<char const*>(m.key), m.key_len);
  rd_kafka_headers_t* headers = nullptr;
  if (rd_kafka_message_headers(&m, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) return out;
  char const* name = nullptr;
  void const* value = nullptr;
  std::size_t size = 0;
  for (std::size_t i = 0;
       rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR; ++i)
    out.headers.emplace_back(name, std::string(static_cast<char const*>(value), size));
  return out;
}

}  // namespace

mock_kafka::mock_kafka(int brokers) : owner_(handle(RD_KAFKA_PRODUCER, {})) {
  cluster_ = rd_kafka_mock_cluster_new(owner_, brokers);
  if (!cluster_) throw std::runtime_error("no mock cluster");
  bootstrap_ = rd_kafka_mock_cluster_bootstraps(cluster_);
  for (auto const* topic : {"profiles", "outcomes"}) rd_kafka_mock_topic_create(cluster_, topic, 1, 1);
}

mock_kafka::~mock_kafka() {
  rd_kafka_mock_cluster_destroy(cluster_);
  rd_kafka_destroy(owner_);
}

void mock_kafka::down() { rd_kafka_mock_broker_set_down(cluster_, 1); }
void mock_kafka::up() { rd_kafka_mock_broker_set_up(cluster_, 1); }

void mock_kafka::refuse(rd_kafka_resp_err_t e, int count) {
  std::vector<rd_kafka_resp_err_t> const errors(static_cast<std::size_t>(count), e);
  rd_kafka_mock_push_request_errors_array(cluster_, produce_request, errors.size(), errors.data());
}

void mock_kafka::lead(char const* topic, int broker) {
  rd_kafka_mock_partition_set_leader(cluster_, topic, 0, broker);
}

void mock_kafka::set_topic_error(char const* topic, rd_kafka_resp_err_t e) {
  rd_kafka_mock_topic_set_error(cluster_, topic, e);
}

std::vector<mock_kafka::message> mock_kafka::read(std::string const& topic, std::size_t n) const {
  std::unique_ptr<rd_kafka_t, decltype(&rd_kafka_destroy)> const k(
      handle(RD_KAFKA_CONSUMER,
             {{"bootstrap.servers", bootstrap_}, {"group.id", "test"}, {"auto.offset.reset", "earliest"}}),
      &rd_kafka_destroy);
  std::unique_ptr<rd_kafka_topic_partition_list_t, decltype(&rd_kafka_topic_partition_list_destroy)> const
      list(rd_kafka_topic_partition_list_new(1), &rd_kafka_topic_partition_list_destroy);
  rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), 0)->offset = RD_KAFKA_OFFSET_BEGINNING;
  rd_kafka_poll_set_consumer(k.get());
  rd_kafka_assign(k.get(), list.get());
  std::vector<message> found;
  auto const end = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (found.size() < n && std::chrono::steady_clock::now() < end) {
    std::unique_ptr<rd_kafka_message_t, decltype(&rd_kafka_message_destroy)> const m(
        rd_kafka_consumer_poll(k.get(), 1000), &rd_kafka_message_destroy);
    if (m && m->err == RD_KAFKA_RESP_ERR_NO_ERROR) found.push_back(copy(*m));
  }
  rd_kafka_consumer_close(k.get());
  return found;
}

}  // namespace profile_relay::server
