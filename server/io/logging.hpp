#pragma once

#include <initializer_list>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "config/settings.hpp"

namespace profile_relay::server {

enum class log_level { trace, debug, info, warn, error };

/// One `key=value` of a log line.
struct log_field {
  std::string key, value;
};

/// Sends log lines to stderr in the configured form from now on: text (`time level message key=value ...`) or
/// one JSON object a line. Lines that other code gives to spdlog directly get the same form. Call once,
/// before threads start.
void setup_logging(config::settings::logging_section const& s);

/// Writes one line. Thread-safe. Never throws: a log line that cannot be written is given up.
void log(log_level level, std::string_view message, std::vector<log_field> const& fields = {}) noexcept;
bool log_enabled(log_level level);

/// The two forms, for `log` and for tests. `message` may carry fields as `pack` made them.
std::string pack(std::string_view message, std::vector<log_field> const& fields);
std::string text_line(std::string_view time, std::string_view level, std::string_view packed);
std::string json_line(std::string_view time, std::string_view level, std::string_view packed);

/// "Once per key and hour": for lines that a client could otherwise repeat at its own rate. Thread-safe, and
/// bounded: beyond `capacity` keys it forgets all and starts anew.
class hourly_gate {
 public:
  explicit hourly_gate(std::size_t capacity = 4096) : capacity_(capacity) {}
  /// True when `key` has not passed within the hour of `unix_seconds`.
  bool pass(std::string_view key, std::int64_t unix_seconds);

 private:
  std::mutex mutex_;
  std::unordered_map<std::string, std::int64_t> last_hour_;
  std::size_t capacity_;
};

}  // namespace profile_relay::server
