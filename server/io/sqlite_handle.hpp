#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace profile_relay::server {

struct sqlite_closer {
  void operator()(sqlite3* db) const noexcept { sqlite3_close_v2(db); }
};
using sqlite_ptr = std::unique_ptr<sqlite3, sqlite_closer>;

/// A prepared statement: bind, step, read columns, reset. The only owner of sqlite3_stmt. Views of columns
/// live until the next step or reset; bound views must live until then.
class sqlite_statement {
 public:
  sqlite_statement() = default;
  /// Empty (`operator bool` false) when the statement cannot be prepared; sqlite3_errmsg(db) says why.
  sqlite_statement(sqlite3* db, std::string_view sql);

  explicit operator bool() const { return stmt_ != nullptr; }
  sqlite_statement& bind(int index, std::int64_t v);
  sqlite_statement& bind_text(int index, std::string_view v);
  sqlite_statement& bind_blob(int index, std::string_view v);
  sqlite_statement& bind_null(int index);
  /// SQLITE_ROW, SQLITE_DONE or an error.
  int step();
  /// Steps to the end, resets, and says SQLITE_OK or the error.
  int run();
  void reset();

  std::int64_t integer(int column) const;
  std::string_view text(int column) const;
  std::string_view blob(int column) const;
  bool is_null(int column) const;

 private:
  struct finalizer {
    void operator()(sqlite3_stmt* s) const noexcept { sqlite3_finalize(s); }
  };
  std::unique_ptr<sqlite3_stmt, finalizer> stmt_;
};

/// Runs statements without results; SQLITE_OK or the error.
int sqlite_run(sqlite3* db, char const* sql);
/// Reads one blob without a copy in between; SQLITE_OK or the error, SQLITE_ERROR if it is not there.
int sqlite_read_blob(sqlite3* db, char const* table, char const* column, std::int64_t row, std::string& out);
/// SQLite's words for the last error, with the system's words where the system refused.
std::string sqlite_words(sqlite3* db);

}  // namespace profile_relay::server
