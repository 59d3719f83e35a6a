#include "server/io/spool_format.hpp"

#include <optional>
#include <system_error>

namespace profile_relay::server {
namespace {

// SQLite pays for each page with three system calls and its own sums, so large values want large pages: with 32 KiB
// spool-cost stored groups of 16 records of 100 KB 1.4 times as fast as with 8 KiB. The order of the tables fixes their root
// pages, which spool_salvage.cpp relies on.
constexpr char const* schema_sql =
    "PRAGMA page_size=32768;"
    "BEGIN IMMEDIATE;"
    "CREATE TABLE records("
    " key INTEGER PRIMARY KEY AUTOINCREMENT, topic TEXT NOT NULL, kafka_key BLOB, headers BLOB NOT NULL,"
    " chunk_id TEXT NOT NULL, received_ms INTEGER NOT NULL, stored_ms INTEGER NOT NULL,"
    " raw_offset INTEGER NOT NULL, size INTEGER NOT NULL, state INTEGER NOT NULL, told INTEGER NOT NULL,"
    " why TEXT NOT NULL, sum INTEGER NOT NULL);"
    "CREATE TABLE bodies(key INTEGER PRIMARY KEY, sum INTEGER NOT NULL, value BLOB NOT NULL);"
    "PRAGMA application_id=1347572560;"
    "PRAGMA user_version=3;"
    "COMMIT;";
static_assert(spool_application_id == 1347572560 && spool_format_version == 3 && spool_page_size == 32768);

// `journal_size_limit` shrinks the WAL after a burst of large records; wal_autocheckpoint is in pages: 16 MiB.
constexpr char const* server_sql =
    "PRAGMA journal_mode=WAL;"
    "PRAGMA synchronous=FULL;"
    "PRAGMA wal_autocheckpoint=512;"
    "PRAGMA journal_size_limit=67108864;";
constexpr char const* command_sql =
    "PRAGMA synchronous=FULL;"
    "PRAGMA wal_autocheckpoint=0;";

std::optional<std::int64_t> one_integer(sqlite3* db, std::string_view sql) {
  sqlite_statement s(db, sql);
  if (s.step() != SQLITE_ROW) return std::nullopt;
  return s.integer(0);
}

start_error refusal(std::filesystem::path const& path, std::string const& what) {
  return {"spool: " + path.string() + " " + what};
}

std::optional<start_error> refuse_format(std::filesystem::path const& path, std::int64_t version) {
  if (version == spool_format_version) return std::nullopt;
  auto const known = ", this one reads " + std::to_string(spool_format_version) + ")";
  if (version > spool_format_version)
    return refusal(path, "was written by a newer profile-relay (format " + std::to_string(version) + known +
                             ": start that version, or set spool.envelopes.path to another folder");
  return refusal(path, "has an unknown format (" + std::to_string(version) + known +
                           ": use the version that wrote it, or set spool.envelopes.path to another folder");
}

}  // namespace

std::filesystem::path spool_file(std::filesystem::path const& dir) { return dir / "spool.sqlite"; }
std::filesystem::path wal_of(std::filesystem::path database) { return database += "-wal"; }

bool is_damage(int rc) { return (rc & 0xff) == SQLITE_NOTADB || (rc & 0xff) == SQLITE_CORRUPT; }

int make_spool_tables(sqlite3* db) { return sqlite_run(db, schema_sql); }

start_error spool_error(std::filesystem::path const& dir, sqlite3* db) {
  auto const path = spool_file(dir);
  if (is_damage(sqlite3_errcode(db)))
    return refusal(path,
                   "is damaged or not an SQLite file (" + sqlite_words(db) +
                       "): a server that runs on it, or starts, sets it aside and keeps what is readable");
  return {"spool: cannot use " + path.string() + ": " + sqlite_words(db)};
}

start_result<sqlite_ptr> open_spool_file(std::filesystem::path const& dir, spool_access access) {
  std::string damaged;
  return open_spool_file(dir, access, damaged);
}

start_result<sqlite_ptr> open_spool_file(std::filesystem::path const& dir, spool_access access,
                                         std::string& damaged) {
  auto const path = spool_file(dir);
  std::error_code ec;
  if (!std::filesystem::exists(path, ec)) return start_error{"spool: there is no spool at " + path.string()};

  sqlite3* raw = nullptr;
  int const flags = access == spool_access::read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
  int const rc = sqlite3_open_v2(path.c_str(), &raw, flags | SQLITE_OPEN_NOMUTEX, nullptr);
  sqlite_ptr db(raw);
  auto const failed = [&]() -> start_error {
    if (is_damage(sqlite3_errcode(db.get()))) damaged = sqlite_words(db.get());
    return spool_error(dir, db.get());
  };
  if (rc != SQLITE_OK) return failed();
  sqlite3_extended_result_codes(db.get(), 1);
  sqlite3_busy_timeout(db.get(), 5000);
  // What a crashed server left in the log is evidence until the next server has looked at it.
  if (access != spool_access::server)
    sqlite3_db_config(db.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);

  auto const application = one_integer(db.get(), "PRAGMA application_id");
  auto const version = one_integer(db.get(), "PRAGMA user_version");
  auto const tables = one_integer(db.get(), "SELECT count(*) FROM sqlite_schema");
  if (!application || !version || !tables) return failed();
  if (*application == 0 && *tables == 0) {
    // A spool gets its name when it has its tables.
    damaged = "an empty database";
    return refusal(path, "is an empty database");
  }
  if (*application != spool_application_id) return refusal(path, "is a database of another program");
  if (auto const e = refuse_format(path, *version)) return *e;
  auto const* settings = access == spool_access::server    ? server_sql
                         : access == spool_access::command ? command_sql
                                                           : "";
  if (sqlite_run(db.get(), settings) != SQLITE_OK) return failed();
  return db;
}

std::string_view to_text(profile::logical_topic t) {
  return t == profile::logical_topic::profiles ? "profiles" : "outcomes";
}

std::optional<profile::logical_topic> topic_from_text(std::string_view s) {
  if (s == "profiles") return profile::logical_topic::profiles;
  if (s == "outcomes") return profile::logical_topic::outcomes;
  return std::nullopt;
}

std::string encode_headers(profile::kafka_record const& r) {
  std::string out;
  auto const add = [&out](std::string const& s) {
    auto const n = static_cast<std::uint32_t>(s.size());
    for (unsigned shift = 0; shift < 32; shift += 8) out.push_back(static_cast<char>((n >> shift) & 0xffU));
    out += s;
  };
  for (auto const& [name, value] : r.headers) {
    add(name);
    add(value);
  }
  return out;
}

bool decode_headers(std::string_view blob, profile::kafka_record& r) {
  auto const take = [&blob]() -> std::optional<std::string> {
    if (blob.size() < 4) return std::nullopt;
    std::uint32_t n = 0;
    for (unsigned i = 0; i < 4; ++i)
      n |= static_cast<std::uint32_t>(static_cast<unsigned char>(blob[i])) << (8 * i);
    blob.remove_prefix(4);
    if (n > blob.size()) return std::nullopt;
    std::string s(blob.substr(0, n));
    blob.remove_prefix(n);
    return s;
  };
  while (!blob.empty()) {
    auto name = take();
    auto value = take();
    if (!name || !value) return false;
    r.headers.emplace_back(std::move(*name), std::move(*value));
  }
  return true;
}

std::uint64_t spool_size(profile::kafka_record const& r) {
  std::uint64_t n = r.value.size() + r.chunk_id.size() + (r.key ? r.key->size() : 0);
  for (auto const& [name, value] : r.headers) n += name.size() + value.size() + 8;
  // The row and pages that are not quite filled: test_sqlite_spool.cpp holds it against the file.
  return n + (n < 2048 ? 256 : 4096 + 256);
}

}  // namespace profile_relay::server
