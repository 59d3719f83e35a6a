#include "server/io/spool_salvage.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <system_error>
#include <vector>

#include "server/io/spool_page_scan.hpp"
#include "server/io/spool_rows.hpp"
#include "server/io/spool_wal.hpp"

namespace profile_relay::server {
namespace {

namespace fs = std::filesystem;
using keys = std::vector<std::int64_t>;

// Between two readable stretches each key is asked for by itself, which finds all but the damaged pages' own.
constexpr std::int64_t most_probes = 1'000'000;

start_error cannot(fs::path const& path, std::string const& why) {
  return {"spool: cannot write " + path.string() + ": " + why +
          "; nothing was deleted, make room and start again"};
}

void remove_database(fs::path const& path) {
  std::error_code ec;
  for (auto const* end : {"", "-wal", "-shm", "-journal"}) fs::remove(fs::path(path) += end, ec);
}

/// Opened so that damage elsewhere in the file does not matter. Null if not even the tables are there.
sqlite_ptr open_damaged(fs::path const& path) {
  sqlite3* raw = nullptr;
  sqlite3_open_v2(path.c_str(), &raw, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, nullptr);
  sqlite_ptr db(raw);
  sqlite3_extended_result_codes(raw, 1);
  sqlite3_busy_timeout(raw, 5000);
  sqlite3_db_config(raw, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  // The first lets SQLite open a file that is shorter than its header says.
  sqlite_run(raw, "PRAGMA writable_schema=ON; PRAGMA cell_size_check=ON;");
  spool_rows rows;
  return rows.prepare(raw) ? std::move(db) : nullptr;
}

/// A copy to read from: with its log made whole and, if need be, the first page of an empty spool. That page holds
/// the header and the list of tables, which are the same in every spool.
bool make_copy(fs::path const& from, fs::path const& empty, bool new_first_page, fs::path const& copy) {
  std::error_code ec;
  remove_database(copy);
  if (fs::exists(from, ec) && !fs::copy_file(from, copy, ec)) return false;
  if (new_first_page) {
    std::string page(spool_page_size, '\0');
    std::ifstream(empty, std::ios::binary).read(page.data(), static_cast<std::streamsize>(page.size()));
    page[18] = page[19] = 2;  // reads through a write-ahead log
    // Bytes 92 to 95 unlike 24 to 27: SQLite then counts the pages of the file itself.
    page[95] = static_cast<char>(page[27] + 1);
    if (!fs::exists(copy, ec)) std::ofstream(copy, std::ios::binary);
    std::fstream out(copy, std::ios::binary | std::ios::in | std::ios::out);
    out.write(page.data(), static_cast<std::streamsize>(page.size()));
    out.close();
    if (!out) return false;
  }
  auto const wal = wal_of(from);
  return !fs::exists(wal, ec) || reseal_wal(wal, wal_of(copy));
}

/// Steps through the keys of a table from one side until the end or the first damage. True = to the end.
bool walk(sqlite3* db, std::string const& sql, keys& out) {
  sqlite_statement s(db, sql);
  int rc = SQLITE_ROW;
  while ((rc = s.step()) == SQLITE_ROW) out.push_back(s.integer(0));
  return rc == SQLITE_DONE;
}

/// The keys of a table that can be reached, in order.
keys readable_keys(sqlite3* db, std::string const& table, std::int64_t last_key) {
  keys up, down;
  if (walk(db, "SELECT key FROM " + table + " ORDER BY key", up)) return up;
  auto const above = up.empty() ? 0 : up.back();
  walk(db, "SELECT key FROM " + table + " WHERE key>" + std::to_string(above) + " ORDER BY key DESC", down);
  auto const below = down.empty() ? std::min(last_key, above + most_probes) + 1 : down.back();
  sqlite_statement one(db, "SELECT key FROM " + table + " WHERE key=?1");
  for (auto key = above + 1; key < below && key <= above + most_probes; ++key) {
    if (one.bind(1, key).step() == SQLITE_ROW) up.push_back(key);
    one.reset();
  }
  up.insert(up.end(), down.rbegin(), down.rend());
  return up;
}

std::int64_t unix_ms() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

std::int64_t one_integer(sqlite3* db, char const* sql) {
  sqlite_statement s(db, sql);
  return s.step() == SQLITE_ROW ? s.integer(0) : 0;
}

/// The record of a body whose row is lost: what the message says of itself. Absent if it is none of ours.
std::optional<profile::kafka_record> record_of_body(std::string value) {
  profile::kafka_record r;
  r.value = std::move(value);
  if (auto const m = profile::decode_profile_message(r.value)) {
    auto const payload = nlohmann::json::parse(m->payload, nullptr, false);
    if (!payload.is_object() || !payload.contains("chunk_id") || !payload["chunk_id"].is_string())
      return std::nullopt;
    r.chunk_id = payload["chunk_id"].get<std::string>();
    r.headers = {{"project_id", std::to_string(m->project_id)}};
    r.received_ms = static_cast<std::int64_t>(m->received) * 1000;
    if (!m->raw_profile.empty())
      r.raw_offset = std::string_view(r.value).rfind(
          "\xabraw_profile", static_cast<std::size_t>(m->raw_profile.data() - r.value.data()));
    return r;
  }
  auto const outcome = nlohmann::json::parse(r.value, nullptr, false);
  if (!outcome.is_object() || !outcome.contains("outcome")) return std::nullopt;
  r.topic = profile::logical_topic::outcomes;
  r.received_ms = unix_ms();  // its own time stands in the message
  return r;
}

class salvage {
 public:
  salvage(sqlite3* from, fs::path file, sqlite3* to, std::int64_t last_key)
      : from_(from), file_(std::move(file)), to_(to), last_key_(last_key) {}

  /// SQLITE_OK, or the error of a write.
  int run() {
    if (from_ != nullptr && (!in_.prepare(from_) || !out_.prepare(to_))) return SQLITE_ERROR;
    if (int const rc = sqlite_run(to_, "BEGIN"); rc != SQLITE_OK) return rc;
    if (from_ != nullptr)
      if (int const rc = copy_records(); rc != SQLITE_OK) return rc;
    sqlite_statement sequence(to_, "INSERT INTO sqlite_sequence(name,seq) VALUES('records',?1)");
    if (int const rc = sqlite_run(to_, "DELETE FROM sqlite_sequence"); rc != SQLITE_OK) return rc;
    if (int const rc = sequence.bind(1, last_key_).run(); rc != SQLITE_OK) return rc;
    return sqlite_run(to_, "COMMIT");
  }
  salvage_counts const& counts() const { return counts_; }

 private:
  int copy_records() {
    for (auto const* sql :
         {"SELECT seq FROM sqlite_sequence", "SELECT max(key) FROM records", "SELECT max(key) FROM bodies"})
      last_key_ = std::max(last_key_, one_integer(from_, sql));
    auto all = readable_keys(from_, "records", last_key_);
    auto const bodies = readable_keys(from_, "bodies", last_key_);
    all.insert(all.end(), bodies.begin(), bodies.end());
    std::sort(all.begin(), all.end());
    all.erase(std::unique(all.begin(), all.end()), all.end());
    for (auto const key : all)
      if (int const rc = copy(key); rc != SQLITE_OK) return rc;
    return SQLITE_OK;
  }

  int copy(std::int64_t key) {
    profile::kafka_record r;
    row_facts facts;
    bool const row = in_.read_row(key, r, facts) == row_result::found;
    std::string value;
    bool body = in_.read_body(key, value) == row_result::found;
    if (row && !body) {
      if (!scan_) scan_.emplace(file_);
      auto found = scan_->body(key);
      body = found.has_value();
      if (found) value = std::move(*found);
    }
    std::optional<profile::kafka_record> whole;
    if (row && body) {
      whole = std::move(r);
      whole->value = std::move(value);
      facts.size = spool_size(*whole);
      if (whole->raw_offset > whole->value.size()) whole.reset();
    } else if (body) {
      whole = record_of_body(std::move(value));
      facts = {};
      if (whole) {
        facts.stored_ms = whole->received_ms;
        facts.size = spool_size(*whole);
      }
    }
    if (!whole) {
      ++counts_.lost;
      return SQLITE_OK;
    }
    ++counts_.salvaged;
    last_key_ = std::max(last_key_, key);
    return out_.insert(key, *whole, facts, key);
  }

  sqlite3* from_;
  fs::path file_;  // that `from_` reads
  sqlite3* to_;
  std::int64_t last_key_;
  std::optional<spool_page_scan> scan_;
  spool_rows in_, out_;
  salvage_counts counts_;
};

std::optional<start_error> sync_file(fs::path const& path) {
  int const fd = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  int const rc = fd < 0 ? -1 : ::fsync(fd);
  auto const why = errno;
  if (fd >= 0) ::close(fd);
  if (rc != 0) return cannot(path, std::generic_category().message(why));
  return std::nullopt;
}

/// An empty spool of this format.
std::optional<start_error> make_empty(fs::path const& path, sqlite_ptr& db) {
  remove_database(path);
  sqlite3* raw = nullptr;
  int rc = sqlite3_open_v2(path.c_str(), &raw,
                           SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
  db.reset(raw);
  // Until it has its name nobody uses it: one sync at the end does.
  if (rc == SQLITE_OK) rc = make_spool_tables(raw);
  if (rc == SQLITE_OK) rc = sqlite_run(raw, "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;");
  if (rc != SQLITE_OK) return cannot(path, sqlite_words(raw));
  return std::nullopt;
}

}  // namespace

start_result<salvage_counts> salvage_spool(std::optional<fs::path> const& from, fs::path const& to,
                                           std::int64_t last_key) {
  sqlite_ptr out;
  if (auto const e = make_empty(to, out)) return *e;
  sqlite_ptr in;
  auto const copy = fs::path(to) += ".source";
  fs::path source = from.value_or("");
  if (from) {
    // SQLite would delete the log of an empty database.
    std::error_code ec;
    bool const has_pages = fs::exists(*from, ec) && fs::file_size(*from, ec) != 0;
    if (has_pages && !survey_wal(wal_of(*from)).damaged) in = open_damaged(*from);
    for (bool const new_first_page : {false, true}) {
      if (in) break;
      if (!make_copy(*from, to, new_first_page, copy))
        return cannot(copy, "no room for a copy of the damaged file");
      in = open_damaged(copy);
      source = copy;
    }
  }
  salvage work(in.get(), source, out.get(), last_key);
  int const rc = work.run();
  auto const words = sqlite_words(out.get());
  in.reset();
  remove_database(copy);
  if (rc != SQLITE_OK) return cannot(to, words);
  if (sqlite_run(out.get(), "PRAGMA journal_mode=WAL;") != SQLITE_OK)
    return cannot(to, sqlite_words(out.get()));
  out.reset();
  if (auto const e = sync_file(to)) return *e;
  return work.counts();
}

}  // namespace profile_relay::server
