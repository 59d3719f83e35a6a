#include "profile/outcome.hpp"

#include <charconv>
#include <chrono>
#include <cstdio>
#include <string>

#include "profile/json_text.hpp"

namespace profile_relay::profile {
namespace {

/// `YYYY-MM-DDTHH:MM:SS.ffffffZ` of the proleptic Gregorian calendar.
void append_timestamp(std::string& out, std::int64_t unix_us) {
  using namespace std::chrono;
  const sys_time<microseconds> t{microseconds{unix_us}};
  const auto day = floor<days>(t);
  const year_month_day date{day};
  const hh_mm_ss<microseconds> time{t - day};
  char text[40];
  const int n =
      std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d.%06dZ", static_cast<int>(date.year()),
                    static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                    static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
                    static_cast<int>(time.seconds().count()), static_cast<int>(time.subseconds().count()));
  out.append(text, static_cast<std::size_t>(n));
}

}  // namespace

std::string encode(outcome const& o) {
  std::string out;
  out.reserve(320);
  const auto number = [&out](std::string_view key, std::uint64_t v) {
    out.append(",\"").append(key).append("\":").append(std::to_string(v));
  };
  const auto text = [&out](std::string_view key, std::string_view v) {
    if (v.empty()) return;
    out.append(",\"").append(key).append("\":");
    json_text::append_string(out, v);
  };
  out += "{\"timestamp\":\"";
  append_timestamp(out, o.timestamp_us);
  out += '"';
  if (o.org_id != 0) number("org_id", o.org_id);
  number("project_id", o.project_id);
  if (o.key_id) number("key_id", *o.key_id);
  number("outcome", static_cast<std::uint64_t>(o.id));
  text("reason", o.reason);
  text("event_id", o.event_id);
  text("remote_addr", o.remote_addr);
  text("source", o.source);
  number("category", static_cast<std::uint64_t>(o.category));
  number("quantity", 1);
  out += '}';
  return out;
}

kafka_record make_outcome_record(outcome const& o, std::string_view key16, std::string_view chunk_id) {
  kafka_record r;
  r.topic = logical_topic::outcomes;
  r.key.emplace(key16);
  r.value = encode(o);
  r.chunk_id = chunk_id;
  r.received_ms = o.timestamp_us / 1000;
  return r;
}

}  // namespace profile_relay::profile
