#include "server/io/logging.hpp"

#include <spdlog/formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <ctime>
#include <memory>
#include <nlohmann/json.hpp>

namespace profile_relay::server {

namespace {

// Fields travel through spdlog inside its message, behind separators that text never contains.
constexpr char field_mark = '\x1e', value_mark = '\x1f';

struct unpacked {
  std::string_view message;
  std::vector<std::pair<std::string_view, std::string_view>> fields;
};

unpacked unpack(std::string_view packed) {
  unpacked out;
  auto at = packed.find(field_mark);
  out.message = packed.substr(0, at);
  while (at != std::string_view::npos) {
    auto const next = packed.find(field_mark, at + 1);
    auto const field = packed.substr(at + 1, next == std::string_view::npos ? next : next - at - 1);
    auto const mid = field.find(value_mark);
    if (mid != std::string_view::npos) out.fields.emplace_back(field.substr(0, mid), field.substr(mid + 1));
    at = next;
  }
  return out;
}

/// Without control characters: nothing that a request brings can start a new line or move a terminal's
/// cursor.
void append_clean(std::string& out, std::string_view text) {
  for (char c : text) out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
}

void append_text_value(std::string& out, std::string_view value) {
  bool const quote = value.empty() || value.find_first_of(" \"=") != std::string_view::npos;
  if (!quote) return append_clean(out, value);
  out += '"';
  for (char c : value) {
    if (c == '"' || c == '\\') out += '\\';
    append_clean(out, {&c, 1});
  }
  out += '"';
}

std::string utc(std::chrono::system_clock::time_point t) {
  auto const ms = std::chrono::duration_cast<std::chrono::milliseconds>(t.time_since_epoch()).count();
  std::time_t const s = ms / 1000;
  std::tm tm{};
  gmtime_r(&s, &tm);
  char text[40];
  auto const n = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
  std::string out(text, n);
  auto const frac = std::to_string(1000 + ms % 1000);
  return out + "." + frac.substr(1) + "Z";
}

class line_formatter final : public spdlog::formatter {
 public:
  explicit line_formatter(config::log_format f) : format_(f) {}
  void format(spdlog::details::log_msg const& m, spdlog::memory_buf_t& dest) override {
    auto const level = spdlog::level::to_string_view(m.level);
    std::string_view const name(level.data(), level.size());
    std::string_view const packed(m.payload.data(), m.payload.size());
    auto const line = format_ == config::log_format::json ? json_line(utc(m.time), name, packed)
                                                          : text_line(utc(m.time), name, packed);
    dest.append(line.data(), line.data() + line.size());
  }
  std::unique_ptr<spdlog::formatter> clone() const override {
    return std::make_unique<line_formatter>(format_);
  }

 private:
  config::log_format format_;
};

spdlog::level::level_enum spd(log_level l) {
  switch (l) {
    case log_level::trace:
      return spdlog::level::trace;
    case log_level::debug:
      return spdlog::level::debug;
    case log_level::info:
      return spdlog::level::info;
    case log_level::warn:
      return spdlog::level::warn;
    case log_level::error:
      break;
  }
  return spdlog::level::err;
}

}  // namespace

std::string pack(std::string_view message, std::vector<log_field> const& fields) {
  std::string out(message);
  for (auto const& f : fields) {
    out += field_mark;
    append_clean(out, f.key);
    out += value_mark;
    append_clean(out, f.value);
  }
  return out;
}

std::string text_line(std::string_view time, std::string_view level, std::string_view packed) {
  auto const u = unpack(packed);
  std::string out(time);
  out += ' ';
  out += level;
  out += ' ';
  append_clean(out, u.message);
  for (auto const& [k, v] : u.fields) {
    out += ' ';
    out += k;
    out += '=';
    append_text_value(out, v);
  }
  out += '\n';
  return out;
}

std::string json_line(std::string_view time, std::string_view level, std::string_view packed) {
  auto const u = unpack(packed);
  nlohmann::ordered_json line{{"time", time}, {"level", level}, {"msg", u.message}};
  for (auto const& [k, v] : u.fields) line[std::string(k)] = v;
  return line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

void setup_logging(config::settings::logging_section const& s) {
  auto logger =
      std::make_shared<spdlog::logger>("profile-relay", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  logger->set_formatter(std::make_unique<line_formatter>(s.format));
  logger->set_level(spdlog::level::from_str(s.level));
  logger->flush_on(spdlog::level::trace);
  spdlog::set_default_logger(std::move(logger));
}

void log(log_level level, std::string_view message, std::vector<log_field> const& fields) noexcept {
  try {
    if (!log_enabled(level)) return;
    auto const packed = pack(message, fields);
    spdlog::default_logger_raw()->log(spd(level), spdlog::string_view_t(packed.data(), packed.size()));
  } catch (...) {
    // Out of memory while logging: the request goes on without its line.
  }
}

bool log_enabled(log_level level) { return spdlog::default_logger_raw()->should_log(spd(level)); }

bool hourly_gate::pass(std::string_view key, std::int64_t unix_seconds) {
  auto const hour = unix_seconds / 3600;
  std::scoped_lock lock(mutex_);
  if (last_hour_.size() >= capacity_) last_hour_.clear();
  auto const [it, fresh] = last_hour_.try_emplace(std::string(key), hour);
  if (!fresh && it->second == hour) return false;
  it->second = hour;
  return true;
}

}  // namespace profile_relay::server
