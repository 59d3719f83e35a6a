#include "server/io/spool_commands.hpp"

#include <sys/stat.h>

#include <chrono>
#include <string>

#include "server/io/spool_lock.hpp"
#include "server/io/spool_rows.hpp"

namespace profile_relay::server {
namespace {

namespace fs = std::filesystem;

std::string named(fs::path const& dir, std::int64_t key) {
  return "spool: record " + std::to_string(key) + " in " + spool_file(dir).string();
}

std::int64_t unix_ms() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

ino_t file_number(fs::path const& path) {
  struct stat st {};
  return ::stat(path.c_str(), &st) == 0 ? st.st_ino : 0;
}

/// One write transaction; rolled back unless it is committed.
class transaction {
 public:
  transaction(fs::path dir, sqlite3* db)
      : dir_(std::move(dir)),
        db_(db),
        file_(file_number(spool_file(dir_))),
        rc_(sqlite_run(db, "BEGIN IMMEDIATE")) {}
  ~transaction() {
    if (!sqlite3_get_autocommit(db_)) sqlite_run(db_, "ROLLBACK");
  }
  transaction(transaction const&) = delete;
  transaction& operator=(transaction const&) = delete;

  bool begun() const { return rc_ == SQLITE_OK; }
  std::optional<start_error> commit() {
    if (sqlite_run(db_, "COMMIT") != SQLITE_OK) return spool_error(dir_, db_);
    // A server that meets damage puts a new file in the place of the one that is open here.
    if (file_number(spool_file(dir_)) != file_)
      return start_error{"spool: " + spool_file(dir_).string() + " was replaced meanwhile: look again"};
    return std::nullopt;
  }

 private:
  fs::path dir_;
  sqlite3* db_;
  ino_t file_;
  int rc_;
};

struct found_row {
  record_state state = record_state::waiting;
  bool told = false;
};

/// The row as it stands inside a transaction. An error for a record that is not there.
start_result<found_row> look_up(fs::path const& dir, sqlite3* db, std::int64_t key) {
  sqlite_statement s(db, "SELECT state,told FROM records WHERE key=?1");
  int const rc = s.bind(1, key).step();
  if (rc == SQLITE_DONE)
    return start_error{"spool: there is no record " + std::to_string(key) + " in " +
                       spool_file(dir).string() + "; `spool ls` lists them, and a delivered one is gone"};
  if (rc != SQLITE_ROW) return spool_error(dir, db);
  found_row row{static_cast<record_state>(s.integer(0)), s.integer(1) != 0};
  if (row.state == record_state::in_flight && !spool_lock::held(dir)) row.state = record_state::waiting;
  return row;
}

int run(sqlite3* db, char const* sql, std::int64_t key) {
  return sqlite_statement(db, sql).bind(1, key).run();
}

}  // namespace

start_result<removal> remove_record(fs::path const& dir, std::int64_t key, removal_outcome const& outcome) {
  auto const opened = open_spool_file(dir, spool_access::command);
  if (!opened) return opened.error();
  auto* db = opened->get();
  spool_rows rows;
  if (!rows.prepare(db)) return spool_error(dir, db);

  // Before the transaction, which must be short: a record may have 50 MB. Keys are never used twice, so what is read
  // here is what is removed.
  std::optional<profile::kafka_record> left;
  profile::kafka_record record;
  row_facts facts;
  auto const result = rows.read(key, record, facts);
  if (result == row_result::failed) return spool_error(dir, db);
  if (result == row_result::found && !facts.told && record.topic == profile::logical_topic::profiles)
    left = outcome(record);

  transaction t(dir, db);
  if (!t.begun()) return spool_error(dir, db);
  auto const row = look_up(dir, db, key);
  if (!row) return row.error();
  if (row->state == record_state::in_flight)
    return start_error{named(dir, key) +
                       " is in flight: the server has given it to Kafka; it is gone when it is "
                       "acknowledged, and waits again if it is not"};
  bool ok = run(db, "DELETE FROM records WHERE key=?1", key) == SQLITE_OK &&
            run(db, "DELETE FROM bodies WHERE key=?1", key) == SQLITE_OK;
  removal done;
  if (ok && left && !row->told) {
    row_facts of_outcome;
    of_outcome.stored_ms = unix_ms();
    of_outcome.size = spool_size(*left);
    std::int64_t new_key = 0;
    ok = rows.insert(std::nullopt, *left, of_outcome, new_key) == SQLITE_OK;
    done.outcome_stored = ok;
  }
  if (!ok) return spool_error(dir, db);
  if (auto const e = t.commit()) return *e;
  return done;
}

std::optional<start_error> retry_record(fs::path const& dir, std::int64_t key) {
  auto const opened = open_spool_file(dir, spool_access::command);
  if (!opened) return opened.error();
  auto* db = opened->get();
  transaction t(dir, db);
  if (!t.begun()) return spool_error(dir, db);
  auto const row = look_up(dir, db, key);
  if (!row) return row.error();
  if (row->state != record_state::dead)
    return start_error{named(dir, key) + " is not dead: it is sent without being asked to"};
  if (run(db, "UPDATE records SET state=0,why='' WHERE key=?1", key) != SQLITE_OK)
    return spool_error(dir, db);
  return t.commit();
}

}  // namespace profile_relay::server
