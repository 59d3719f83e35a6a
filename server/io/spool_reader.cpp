#include "server/io/spool_reader.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "server/io/spool_lock.hpp"

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
                     "SELECT r.key,r.received_ms,r.topic,r.chunk_id,length(b.value),r.state,r.why"
                     " FROM records r LEFT JOIN bodies b ON b.key=r.key ORDER BY r.key");
  // The marks of a server that died mean nothing.
  bool const running = spool_lock::held(dir_);
  auto const state = [running](std::int64_t stored) {
    auto const as = static_cast<record_state>(stored);
    return as == record_state::in_flight && !running ? record_state::waiting : as;
  };
  std::vector<spool_row> rows;
  int rc = SQLITE_ROW;
  while ((rc = s.step()) == SQLITE_ROW)
    rows.push_back({s.integer(0), s.integer(1), std::string(s.text(2)), std::string(s.text(3)),
                    static_cast<std::uint64_t>(s.integer(4)), state(s.integer(5)), std::string(s.text(6))});
  if (rc != SQLITE_DONE) return spool_error(dir_, db_.get());
  return rows;
}

start_result<std::optional<profile::kafka_record>> spool_reader::read(std::int64_t key) const {
  spool_rows rows;
  if (!rows.prepare(db_.get())) return spool_error(dir_, db_.get());
  profile::kafka_record r;
  row_facts facts;
  // One view of both tables: the record may be delivered and removed meanwhile.
  sqlite_run(db_.get(), "BEGIN");
  auto const result = rows.read(key, r, facts);
  sqlite_run(db_.get(), "COMMIT");
  switch (result) {
    case row_result::found:
      return std::optional<profile::kafka_record>(std::move(r));
    case row_result::gone:
      return std::optional<profile::kafka_record>();
    case row_result::damaged:
      return start_error{"spool: record " + std::to_string(key) + " in " + spool_file(dir_).string() +
                         " is damaged"};
    case row_result::failed:
      break;
  }
  return spool_error(dir_, db_.get());
}

std::string_view to_text(record_state s) {
  return s == record_state::waiting ? "waiting" : s == record_state::in_flight ? "in flight" : "dead";
}

std::string spool_table(std::vector<spool_row> const& rows, std::int64_t now_ms) {
  std::string out = "      ID    AGE  TOPIC     CHUNK ID                              BYTES  STATE\n";
  for (auto const& r : rows) {
    std::array<char, 160> line{};
    std::snprintf(line.data(), line.size(), "%8lld %6s  %-8s  %-32s %10llu  %s",
                  static_cast<long long>(r.key), age(now_ms - r.received_ms).c_str(), r.topic.c_str(),
                  r.chunk_id.empty() ? "-" : r.chunk_id.c_str(), static_cast<unsigned long long>(r.size),
                  std::string(to_text(r.state)).c_str());
    out += line.data();
    if (r.dead()) out += ": " + r.why;
    out += '\n';
  }
  return out;
}

std::string spool_json(std::vector<spool_row> const& rows) {
  std::string out;
  for (auto const& r : rows) {
    nlohmann::ordered_json j;
    j["id"] = r.key;
    j["received_ms"] = r.received_ms;
    j["topic"] = r.topic;
    j["chunk_id"] = r.chunk_id;
    j["size"] = r.size;
    j["state"] = to_text(r.state);
    j["why"] = r.why;
    out += j.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
  }
  return out;
}

}  // namespace profile_relay::server
