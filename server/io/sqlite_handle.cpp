#include "server/io/sqlite_handle.hpp"

#include <cstring>

namespace profile_relay::server {

sqlite_statement::sqlite_statement(sqlite3* db, std::string_view sql) {
  sqlite3_stmt* s = nullptr;
  if (sqlite3_prepare_v3(db, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &s,
                         nullptr) == SQLITE_OK)
    stmt_.reset(s);
}

// A failed bind leaves the parameter NULL, which the schema's NOT NULL turns into an error of step().
sqlite_statement& sqlite_statement::bind(int index, std::int64_t v) {
  sqlite3_bind_int64(stmt_.get(), index, v);
  return *this;
}

sqlite_statement& sqlite_statement::bind_text(int index, std::string_view v) {
  sqlite3_bind_text64(stmt_.get(), index, v.data() ? v.data() : "", v.size(), SQLITE_STATIC, SQLITE_UTF8);
  return *this;
}

sqlite_statement& sqlite_statement::bind_blob(int index, std::string_view v) {
  sqlite3_bind_blob64(stmt_.get(), index, v.data() ? v.data() : "", v.size(), SQLITE_STATIC);
  return *this;
}

sqlite_statement& sqlite_statement::bind_null(int index) {
  sqlite3_bind_null(stmt_.get(), index);
  return *this;
}

int sqlite_statement::step() { return stmt_ ? sqlite3_step(stmt_.get()) : SQLITE_MISUSE; }

int sqlite_statement::run() {
  int rc = step();
  while (rc == SQLITE_ROW) rc = step();
  reset();
  return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

void sqlite_statement::reset() {
  sqlite3_reset(stmt_.get());
  sqlite3_clear_bindings(stmt_.get());
}

std::int64_t sqlite_statement::integer(int column) const { return sqlite3_column_int64(stmt_.get(), column); }

std::string_view sqlite_statement::text(int column) const {
  auto const* p = reinterpret_cast<char const*>(sqlite3_column_text(stmt_.get(), column));
  return p ? std::string_view(p, static_cast<std::size_t>(sqlite3_column_bytes(stmt_.get(), column)))
           : std::string_view();
}

std::string_view sqlite_statement::blob(int column) const {
  auto const* p = static_cast<char const*>(sqlite3_column_blob(stmt_.get(), column));
  return p ? std::string_view(p, static_cast<std::size_t>(sqlite3_column_bytes(stmt_.get(), column)))
           : std::string_view();
}

bool sqlite_statement::is_null(int column) const {
  return sqlite3_column_type(stmt_.get(), column) == SQLITE_NULL;
}

int sqlite_run(sqlite3* db, char const* sql) { return sqlite3_exec(db, sql, nullptr, nullptr, nullptr); }

int sqlite_read_blob(sqlite3* db, char const* table, char const* column, std::int64_t row, std::string& out) {
  sqlite3_blob* raw = nullptr;
  int const rc = sqlite3_blob_open(db, "main", table, column, row, 0, &raw);
  std::unique_ptr<sqlite3_blob, decltype(&sqlite3_blob_close)> blob(raw, &sqlite3_blob_close);
  if (rc != SQLITE_OK) return rc;
  int const n = sqlite3_blob_bytes(raw);
  out.resize(static_cast<std::size_t>(n));
  return sqlite3_blob_read(raw, out.data(), n, 0);
}

std::string sqlite_words(sqlite3* db) {
  std::string s = sqlite3_errmsg(db);
  if (int const e = sqlite3_system_errno(db); e != 0) s += std::string(" (") + std::strerror(e) + ")";
  return s;
}

}  // namespace profile_relay::server
