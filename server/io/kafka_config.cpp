#include "server/io/kafka_config.hpp"

#include <array>
#include <charconv>
#include <string_view>
#include <utility>

namespace profile_relay::server {
namespace {

using property = std::pair<std::string_view, std::string_view>;

constexpr property defaults[] = {
    {"client.id", "profile-relay"},
    // What self-hosted Sentry's broker takes; librdkafka's own default is 1 MB.
    {"message.max.bytes", "50000000"},
    {"compression.type", "lz4"},
    {"acks", "all"},
    // The spool takes over then; librdkafka looks about once a second, so 6 s, within the 10 s of a request.
    {"message.timeout.ms", "5000"},
    // While it waits to connect again it does not look at all: its default of 10 s would break that promise.
    {"reconnect.backoff.max.ms", "1000"},
    // 0 sends batches of one, at a quarter of the throughput; 5 only answers later.
    {"linger.ms", "1"},
};

std::string refused(std::string const& where, std::string const& name, std::string_view why) {
  return where + ": " + name + ": " + std::string(why);
}

}  // namespace

start_result<kafka_conf_ptr> make_kafka_conf(config::settings::processing_section const& processing,
                                             std::string const& name, std::uint64_t queue_bytes) {
  auto const where = name.empty() ? "processing.kafka_config" : "processing.secondary_kafka_configs." + name;
  auto const* properties = &processing.kafka_config;
  if (!name.empty()) {
    auto const it = processing.secondary_kafka_configs.find(name);
    if (it == processing.secondary_kafka_configs.end())
      return start_error{where + ": a topic names this configuration, but it does not exist"};
    properties = &it->second;
  }

  kafka_conf_ptr conf(rd_kafka_conf_new());
  std::array<char, 512> words{};
  auto const set = [&](std::string const& key, std::string const& value) {
    return rd_kafka_conf_set(conf.get(), key.c_str(), value.c_str(), words.data(), words.size()) ==
           RD_KAFKA_CONF_OK;
  };
  for (auto const& [key, value] : defaults)
    if (!set(std::string(key), std::string(value)))
      return start_error{refused(where, std::string(key), words.data())};
  if (!set("queue.buffering.max.kbytes", std::to_string(queue_bytes / 1024 + 1)) ||
      !set("queue.buffering.max.messages", std::to_string(queue_bytes / 1024 + 1)))
    return start_error{refused(where, "queue.buffering.max.kbytes", words.data())};
  for (auto const& [key, value] : *properties)
    if (!set(key, value)) return start_error{refused(where, key, words.data())};
  if (!name.empty() && kafka_property(conf.get(), "bootstrap.servers").empty())
    return start_error{
        refused(where, "bootstrap.servers", "missing; a secondary configuration stands alone")};
  return conf;
}

std::string kafka_property(rd_kafka_conf_t const* conf, char const* name) {
  std::size_t size = 0;
  if (rd_kafka_conf_get(conf, name, nullptr, &size) != RD_KAFKA_CONF_OK || size == 0) return {};
  std::string value(size, '\0');
  rd_kafka_conf_get(conf, name, value.data(), &size);
  value.resize(size - 1);  // it counts the terminating zero
  return value;
}

std::uint64_t kafka_number(rd_kafka_conf_t const* conf, char const* name) {
  auto const text = kafka_property(conf, name);
  std::uint64_t n = 0;
  std::from_chars(text.data(), text.data() + text.size(), n);
  return n;
}

std::uint64_t message_max_bytes(rd_kafka_conf_t const* conf) {
  return kafka_number(conf, "message.max.bytes");
}

}  // namespace profile_relay::server
