#include "server/io/spool_reader.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "server/io/spool_format.hpp"

namespace profile_relay::server {
namespace {

std::string age(std::int64_t ms) {
  auto const s = std::max<std::int64_t>(ms, 0) / 1000;
  if (s < 120) return std::to_string(s) + "s";
  if (s < 120 * 60) return std::to_string(s / 60) + "m";
  if (s < 48 * 3600) return std::to_string(s / 3600) + "h";
  return std::to_string(s / 86400) + "d";
}

}  // namespace

start_result<spool_reader> spool_reader::open(std::filesystem::path const& dir) {
  auto db = open_spool_file(dir, spool_access::read_only);
  if (!db) return db.error();
  return spool_reader(dir, std::move(*db));
}

start_result<std::vector<spool_row>> spool_reader::list() const {
  sqlite_statement s(db_.get(),
                     "SELECT r.key,r.received_ms,r.topic,r.chunk_id,length(b.value),r.dead,r.why"
                     " FROM records r LEFT JOIN bodies b ON b.key=r.key ORDER BY r.key");
  std::vector<spool_row> rows;
  int rc = SQLITE_ROW;
  while ((rc = s.step()) == SQLITE_ROW)
    rows.push_back({s.integer(0), s.integer(1), std::string(s.text(2)), std::string(s.text(3)),
                    static_cast<std::uint64_t>(s.integer(4)), s.integer(5) != 0, std::string(s.text(6))});
  if (rc != SQLITE_DONE) return spool_error(dir_, db_.get());
  return rows;
}

start_result<std::optional<profile::kafka_record>> spool_reader::read(std::int64_t key) const {
  sqlite_statement s(
      db_.get(), "SELECT topic,kafka_key,headers,chunk_id,received_ms,raw_offset FROM records WHERE key=?1");
  s.bind(1, key);
  int const rc = s.step();
  if (rc == SQLITE_DONE) return std::optional<profile::kafka_record>();
  if (rc != SQLITE_ROW) return spool_error(dir_, db_.get());
  profile::kafka_record r;
  auto const topic = topic_from_text(s.text(0));
  r.raw_offset = static_cast<std::size_t>(s.integer(5));
  if (!sqlite_read_blob(db_.get(), "bodies", "value", key, r.value) || !topic ||
      !decode_headers(s.blob(2), r) || r.raw_offset > r.value.size())
    return start_error{"spool: record " + std::to_string(key) + " in " + spool_file(dir_).string() +
                       " is damaged"};
  r.topic = *topic;
  if (!s.is_null(1)) r.key = s.blob(1);
  r.chunk_id = s.text(3);
  r.received_ms = s.integer(4);
  return std::optional<profile::kafka_record>(std::move(r));
}

std::string spool_table(std::vector<spool_row> const& rows, std::int64_t now_ms) {
  std::string out = "     KEY    AGE  TOPIC     CHUNK ID                              BYTES  STATE\n";
  for (auto const& r : rows) {
    std::array<char, 160> line{};
    std::snprintf(line.data(), line.size(), "%8lld %6s  %-8s  %-32s %10llu  %s",
                  static_cast<long long>(r.key), age(now_ms - r.received_ms).c_str(), r.topic.c_str(),
                  r.chunk_id.empty() ? "-" : r.chunk_id.c_str(), static_cast<unsigned long long>(r.size),
                  r.dead ? "dead" : "live");
    out += line.data();
    if (r.dead) out += ": " + r.why;
    out += '\n';
  }
  return out;
}

std::string spool_json(std::vector<spool_row> const& rows) {
  std::string out;
  for (auto const& r : rows) {
    nlohmann::ordered_json j;
    j["key"] = r.key;
    j["received_ms"] = r.received_ms;
    j["topic"] = r.topic;
    j["chunk_id"] = r.chunk_id;
    j["size"] = r.size;
    j["state"] = r.dead ? "dead" : "live";
    j["why"] = r.why;
    out += j.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
  }
  return out;
}

}  // namespace profile_relay::server
