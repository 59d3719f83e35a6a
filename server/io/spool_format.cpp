#include "server/io/spool_format.hpp"

#include <system_error>

namespace profile_relay::server {
namespace {

// A page of 8 KiB halves the bookkeeping of large values against SQLite's 4 KiB. `journal_size_limit` shrinks
// the WAL after a burst of large records; wal_autocheckpoint is in pages: 16 MiB.
constexpr char const* settings_sql =
    "PRAGMA page_size=8192;"
    "PRAGMA journal_mode=WAL;"
    "PRAGMA synchronous=FULL;"
    "PRAGMA wal_autocheckpoint=2048;"
    "PRAGMA journal_size_limit=67108864;";

constexpr char const* schema_sql =
    "BEGIN IMMEDIATE;"
    "CREATE TABLE records("
    " key INTEGER PRIMARY KEY AUTOINCREMENT, topic TEXT NOT NULL, kafka_key BLOB, headers BLOB NOT NULL,"
    " chunk_id TEXT NOT NULL, received_ms INTEGER NOT NULL, stored_ms INTEGER NOT NULL, raw_offset INTEGER "
    "NOT NULL,"
    " size INTEGER NOT NULL, dead INTEGER NOT NULL DEFAULT 0, why TEXT);"
    "CREATE TABLE bodies(key INTEGER PRIMARY KEY, value BLOB NOT NULL);"
    "PRAGMA application_id=1347572560;"
    "PRAGMA user_version=1;"
    "COMMIT;";
static_assert(spool_application_id == 1347572560 && spool_format_version == 1);

bool is_damage(int rc) { return (rc & 0xff) == SQLITE_NOTADB || (rc & 0xff) == SQLITE_CORRUPT; }

std::optional<std::int64_t> one_integer(sqlite3* db, std::string_view sql) {
  sqlite_statement s(db, sql);
  if (s.step() != SQLITE_ROW) return std::nullopt;
  return s.integer(0);
}

}  // namespace

std::filesystem::path spool_file(std::filesystem::path const& dir) { return dir / "spool.sqlite"; }

start_error spool_error(std::filesystem::path const& dir, sqlite3* db) {
  auto const path = spool_file(dir).string();
  if (is_damage(sqlite3_errcode(db)))
    return {"spool: " + path + " is damaged or not an SQLite file (" + sqlite_words(db) +
            "): move it away to start with an empty spool"};
  return {"spool: cannot use " + path + ": " + sqlite_words(db)};
}

start_result<sqlite_ptr> open_spool_file(std::filesystem::path const& dir, spool_access access) {
  auto const path = spool_file(dir).string();
  bool const writes = access == spool_access::read_write;
  std::error_code ec;
  if (!writes && !std::filesystem::exists(path, ec))
    return start_error{"spool: there is no spool at " + path};

  sqlite3* raw = nullptr;
  int const flags =
      (writes ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY) | SQLITE_OPEN_NOMUTEX;
  int const rc = sqlite3_open_v2(path.c_str(), &raw, flags, nullptr);
  sqlite_ptr db(raw);
  if (rc != SQLITE_OK) return spool_error(dir, db.get());
  sqlite3_extended_result_codes(db.get(), 1);
  sqlite3_busy_timeout(db.get(), 5000);

  auto const application = one_integer(db.get(), "PRAGMA application_id");
  auto const version = one_integer(db.get(), "PRAGMA user_version");
  auto const tables = one_integer(db.get(), "SELECT count(*) FROM sqlite_schema");
  if (!application || !version || !tables) return spool_error(dir, db.get());
  bool const empty = *application == 0 && *tables == 0;
  if (!empty && *application != spool_application_id)
    return start_error{"spool: " + path + " is a database of another program"};
  if (*version > spool_format_version)
    return start_error{"spool: " + path + " was written by a newer profile-relay (format " +
                       std::to_string(*version) + ", this one reads " + std::to_string(spool_format_version) +
                       "): start that version, or set spool.envelopes.path to another folder"};
  if (!writes) {
    if (empty) return start_error{"spool: " + path + " is empty"};
    return db;
  }
  if (sqlite_run(db.get(), settings_sql) != SQLITE_OK) return spool_error(dir, db.get());
  if (empty && sqlite_run(db.get(), schema_sql) != SQLITE_OK) return spool_error(dir, db.get());
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
  // A large value ends in a half-filled page of its own; small ones share theirs.
  return n + (n < 2048 ? 256 : 4096 + 256);
}

}  // namespace profile_relay::server
