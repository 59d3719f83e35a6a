#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace profile_relay::config {

/// librdkafka properties in the order given; later ones win.
using kafka_properties = std::vector<std::pair<std::string, std::string>>;

struct topic_name {
  std::string name;
  std::string kafka_config;  ///< key of secondary_kafka_configs; empty = the main one
};

enum class raw_profile_mode : std::uint8_t { inline_, drop };
enum class key_id_mode : std::uint8_t { auto_, never };
enum class ack_mode : std::uint8_t { broker, spool };
enum class log_format : std::uint8_t { text, json };

/// Everything an operator can set, after defaults, file, environment and command line.
/// The option table (option_table.hpp) is the one place that names keys, defaults, bounds and documentation.
/// Source: ingestion contract 9, 13, 3.8.
struct settings {
  std::filesystem::path config_dir;  ///< the folder; relative paths in the file are relative to it

  struct relay_section {
    std::string host = "127.0.0.1";
    std::uint16_t port = 3000;
    std::optional<std::string> internal_host;
    std::optional<std::uint16_t> internal_port;
  } relay;

  struct processing_section {
    bool enabled = true;
    kafka_properties kafka_config;
    std::map<std::string, kafka_properties> secondary_kafka_configs;
    topic_name profiles{"profiles", ""};
    topic_name outcomes{"outcomes", ""};
    bool kafka_validate_topics = false;
    std::uint32_t max_rate_limit = 300;  ///< seconds
    raw_profile_mode raw_profile = raw_profile_mode::inline_;
    key_id_mode profiles_key_id = key_id_mode::auto_;
    ack_mode ack = ack_mode::broker;
    std::uint32_t kafka_producers = 2;

    /// False = spool-only mode.
    bool has_broker() const {
      for (auto const& [k, v] : kafka_config)
        if ((k == "bootstrap.servers" || k == "metadata.broker.list") && !v.empty()) return true;
      return false;
    }
  } processing;

  struct cache_section {
    std::chrono::seconds file_interval{10};
  } cache;

  struct spool_section {
    std::filesystem::path path;  ///< default: "spool" inside config_dir
    std::uint64_t max_disk_size = 500u << 20;
  } spool;

  struct outcomes_section {
    bool emit_outcomes = true;
    bool emit_feature_disabled = false;
    std::string source;
  } outcomes;

  struct health_section {
    std::chrono::milliseconds refresh_interval{3000};
    std::chrono::milliseconds probe_timeout{900};
    double max_memory_percent = 0.95;
    std::optional<std::uint64_t> max_memory_bytes;
    std::chrono::seconds kafka_max_ack_age{30};
  } health;

  struct logging_section {
    std::string level = "info";  ///< trace, debug, info, warn, error, off
    log_format format = log_format::text;
  } logging;

  struct http_section {
    std::vector<std::string> trusted_proxies;  ///< addresses or CIDR
  } http;

  struct limits_section {
    std::uint64_t max_envelope_size = 200u << 20;
    std::uint64_t max_profile_size = 50u << 20;
    std::optional<std::uint32_t> max_profile_chunk_count;
    std::chrono::seconds keepalive_timeout{5};
    std::chrono::seconds header_timeout{5};
    std::chrono::seconds body_timeout{10};
    std::uint64_t min_body_rate = 1u << 10;  ///< bytes per second, 0 = none
    std::chrono::seconds shutdown_timeout{10};
    std::uint32_t tcp_listen_backlog = 1024;
    std::optional<std::uint32_t> max_connections;
    std::uint32_t max_thread_count = 0;               ///< 0 = number of CPUs
    std::optional<std::uint64_t> max_inflight_bytes;  ///< absent = 25 % of the cgroup's memory
  } limits;

  /// Bounds of one conversion (contract 3.8). Same names and defaults as perfetto_decode::limits.
  struct profiling_section {
    std::uint64_t max_packet_size = 4u << 20;
    std::uint32_t max_packets = 110'000;
    std::uint32_t max_samples = 100'000;
    std::uint32_t max_stack_depth = 1'000;
    std::uint32_t max_path_parts = 100;
    std::uint32_t max_frames = 1'000'000;
    std::uint32_t max_sequences = 4'096;
    std::uint64_t max_working_memory = 15u << 20;
    std::uint64_t max_result_memory = 40u << 20;
    bool accept_chunk_data_pairs = true;  ///< contract 3.3
    std::string self_dsn;                 ///< "" = the server does not profile itself
  } profiling;
};

}  // namespace profile_relay::config
