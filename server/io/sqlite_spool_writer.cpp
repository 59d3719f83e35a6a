// What the spool's thread does with SQLite.
#include <chrono>
#include <utility>

#include "server/io/sqlite_spool.hpp"

namespace profile_relay::server {
namespace {

std::int64_t unix_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

void log(std::function<void(std::string const&)> const& to, std::string const& line) {
  if (to) to(line);
}

}  // namespace

bool sqlite_spool::statements::prepare(sqlite3* db) {
  begin = {db, "BEGIN IMMEDIATE"};
  commit = {db, "COMMIT"};
  rollback = {db, "ROLLBACK"};
  put_record = {db,
                "INSERT INTO records(topic,kafka_key,headers,chunk_id,received_ms,stored_ms,raw_offset,size)"
                " VALUES(?1,?2,?3,?4,?5,?6,?7,?8)"};
  put_body = {db, "INSERT INTO bodies(key,value) VALUES(?1,?2)"};
  remove_record = {db, "DELETE FROM records WHERE key=?1 RETURNING size,dead"};
  remove_body = {db, "DELETE FROM bodies WHERE key=?1"};
  mark_dead = {db, "UPDATE records SET dead=1,why=?2 WHERE key=?1 AND dead=0 RETURNING key"};
  take = {db,
          "SELECT key,topic,kafka_key,headers,chunk_id,received_ms,raw_offset,size FROM records"
          " WHERE dead=0 AND key>?1 ORDER BY key"};
  oldest = {db, "SELECT stored_ms FROM records WHERE dead=0 ORDER BY key LIMIT 1"};
  // Writes a page like any other write, and changes nothing.
  probe = {db, "PRAGMA user_version=1"};
  return begin && commit && rollback && put_record && put_body && remove_record && remove_body && mark_dead &&
         take && oldest && probe;
}

bool sqlite_spool::count() {
  sqlite_statement s(db_.get(), "SELECT count(*),coalesce(sum(size),0),coalesce(sum(dead),0) FROM records");
  if (s.step() != SQLITE_ROW) return false;
  tally_.bytes = static_cast<std::uint64_t>(s.integer(1));
  tally_.dead = static_cast<std::uint64_t>(s.integer(2));
  tally_.live = static_cast<std::uint64_t>(s.integer(0)) - tally_.dead;
  return true;
}

void sqlite_spool::write(std::span<call> calls, std::vector<delivery_event>& answers) {
  int rc = transact(calls, answers);
  if (rc != SQLITE_OK && calls.size() > 1) {
    for (auto& c : calls) write({&c, 1}, answers);
    return;
  }
  note_result(rc);
  if (rc == SQLITE_OK) return;
  auto const& c = calls.front();
  if (c.what == call::kind::put)
    answers.push_back(event::spool_failed{c.id, spool_failure::io});
  else
    answers.push_back(event::remove_failed{c.key});
}

int sqlite_spool::transact(std::span<call> calls, std::vector<delivery_event>& answers) {
  auto t = tally_;
  auto const before = answers.size();
  int rc = sql_.begin.run();
  for (auto const& c : calls) {
    if (rc != SQLITE_OK) break;
    rc = apply(c, t, answers);
  }
  // Only now are the records safe: COMMIT returns after the WAL is synced.
  if (rc == SQLITE_OK) rc = sql_.commit.run();
  if (rc == SQLITE_OK) {
    tally_ = t;
    return rc;
  }
  answers.resize(before);
  words_ = sqlite_words(db_.get());
  if (!sqlite3_get_autocommit(db_.get())) sql_.rollback.run();
  return rc;
}

int sqlite_spool::apply(call const& c, tally& t, std::vector<delivery_event>& answers) {
  if (c.what == call::kind::put) return put_now(c, t, answers);
  auto& s = c.what == call::kind::remove ? sql_.remove_record : sql_.mark_dead;
  s.bind(1, c.key);
  if (c.what == call::kind::mark_dead) s.bind_text(2, c.why);
  int const rc = s.step();
  bool const found = rc == SQLITE_ROW;
  if (found && c.what == call::kind::remove) {
    t.bytes -= static_cast<std::uint64_t>(s.integer(0));
    --(s.integer(1) != 0 ? t.dead : t.live);
  } else if (found) {
    --t.live;
    ++t.dead;
  }
  int const end = found ? s.run() : rc;
  s.reset();
  if (end != SQLITE_OK && end != SQLITE_DONE) return end;
  answers.push_back(event::removed{c.key});
  return found && c.what == call::kind::remove ? sql_.remove_body.bind(1, c.key).run() : SQLITE_OK;
}

int sqlite_spool::put_now(call const& c, tally& t, std::vector<delivery_event>& answers) {
  auto const& r = *c.record;
  bool const is_outcome = r.topic == profile::logical_topic::outcomes;
  auto const limit =
      is_outcome ? options_.max_disk_size : options_.max_disk_size - options_.max_disk_size / 20;
  if (t.bytes + c.bytes > limit) {
    if (!is_outcome) wanted_ = c.bytes;
    answers.push_back(event::spool_failed{c.id, spool_failure::full});
    return SQLITE_OK;
  }
  auto const headers = encode_headers(r);
  auto& s = sql_.put_record;
  s.bind_text(1, to_text(r.topic));
  if (r.key)
    s.bind_blob(2, *r.key);
  else
    s.bind_null(2);
  s.bind_blob(3, headers).bind_text(4, r.chunk_id).bind(5, r.received_ms).bind(6, unix_ms());
  s.bind(7, static_cast<std::int64_t>(r.raw_offset)).bind(8, static_cast<std::int64_t>(c.bytes));
  if (int const rc = s.run(); rc != SQLITE_OK) return rc;
  auto const key = sqlite3_last_insert_rowid(db_.get());
  if (int const rc = sql_.put_body.bind(1, key).bind_blob(2, r.value).run(); rc != SQLITE_OK) return rc;
  t.bytes += c.bytes;
  ++t.live;
  if (!is_outcome) wanted_ = 0;
  answers.push_back(event::spooled{c.id, key});
  return SQLITE_OK;
}

void sqlite_spool::take_now(call const& c, std::vector<delivery_event>& answers) {
  event::stored found;
  std::uint64_t bytes = 0;
  std::int64_t damaged = 0;
  sql_.take.bind(1, c.key);
  int rc = SQLITE_ROW;
  while ((rc = sql_.take.step()) == SQLITE_ROW) {
    auto const& row = sql_.take;
    bytes += static_cast<std::uint64_t>(row.integer(7));
    if (!found.records.empty() && bytes > c.bytes) break;
    auto record = std::make_shared<profile::kafka_record>();
    auto const topic = topic_from_text(row.text(1));
    record->raw_offset = static_cast<std::size_t>(row.integer(6));
    if (!topic || !sqlite_read_blob(db_.get(), "bodies", "value", row.integer(0), record->value) ||
        !decode_headers(row.blob(3), *record) || record->raw_offset > record->value.size()) {
      damaged = row.integer(0);
      break;
    }
    record->topic = *topic;
    if (!row.is_null(2)) record->key = row.blob(2);
    record->chunk_id = row.text(4);
    record->received_ms = row.integer(5);
    found.records.push_back({row.integer(0), std::move(record)});
  }
  auto const words = sqlite_words(db_.get());
  sql_.take.reset();
  if (damaged != 0) {
    // Kept and listed, so that it blocks nobody; the records read before it are sent by this answer.
    call mark{call::kind::mark_dead, 0, damaged, 0, nullptr, "damaged in the spool", false};
    std::vector<delivery_event> ignored;
    write({&mark, 1}, ignored);
    publish();
    log(options_.log_error, "spool: record " + std::to_string(damaged) + " in " +
                                spool_file(options_.dir).string() + " is damaged; kept and marked dead");
    if (found.records.empty() && !failed_) return take_now(c, answers);
  } else if (rc != SQLITE_ROW && rc != SQLITE_DONE) {
    log(options_.log_error, "spool: cannot read " + spool_file(options_.dir).string() + ": " + words);
    if (found.records.empty()) {
      answers.push_back(event::take_failed{});
      return;
    }
  }
  answers.push_back(std::move(found));
}

void sqlite_spool::probe() {
  int const rc = sql_.probe.run();
  words_ = sqlite_words(db_.get());
  note_result(rc);
  publish();
}

void sqlite_spool::note_result(int rc) {
  if (std::exchange(failed_, rc != SQLITE_OK) == failed_) return;
  auto const path = spool_file(options_.dir).string();
  if (failed_)
    log(options_.log_error, "spool: cannot write " + path + ": " + words_ +
                                "; what is stored stays, new records are refused until it works again");
  else
    log(options_.log_info, "spool: " + path + " can be written again");
}

}  // namespace profile_relay::server
