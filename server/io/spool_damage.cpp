#include "server/io/spool_damage.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <fstream>
#include <system_error>

#include "server/io/spool_format.hpp"
#include "server/io/spool_lock.hpp"
#include "server/io/spool_wal.hpp"

namespace profile_relay::server {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t full_check_bytes = 256u << 20;
constexpr std::string_view aside_mark = "spool.sqlite.damaged-";

fs::path marker_of(fs::path const& dir) { return dir / "damaged"; }
fs::path new_file(fs::path const& dir) { return fs::path(spool_file(dir)) += ".new"; }

bool has_bytes(fs::path const& p) {
  std::error_code ec;
  auto const n = fs::file_size(p, ec);
  return !ec && n != 0;
}

start_error cannot(fs::path const& dir, std::string const& what) {
  return {"spool: " + spool_file(dir).string() + " is damaged and cannot be set aside (" + what +
          "); nothing was deleted"};
}

std::string first_line(std::string_view text) {
  // SQLite heads its list with "*** in database main ***".
  if (text.starts_with("***")) text.remove_prefix(std::min(text.find('\n') + 1, text.size()));
  return std::string(text.substr(0, std::min<std::size_t>(text.find('\n'), 200)));
}

/// What is wrong inside a database that opens; "" = nothing was found.
std::string look_inside(sqlite3* db, std::uint64_t bytes) {
  auto const complaint = [db](std::string_view sql) -> std::string {
    sqlite_statement s(db, sql);
    int const rc = s.step();
    if (rc == SQLITE_ROW) return s.text(0) == "ok" ? "" : first_line(s.text(0));
    return is_damage(rc) || !s ? sqlite_words(db) : "";
  };
  if (bytes <= full_check_bytes) return complaint("PRAGMA quick_check(1)");
  for (auto const* sql : {"PRAGMA quick_check(records)", "SELECT 'ok',min(key),max(key) FROM bodies"})
    if (auto found = complaint(sql); !found.empty()) return found;
  return "";
}

struct finding {
  std::string damage;  ///< "" = sound, or missing altogether
};

start_result<finding> look(fs::path const& dir) {
  auto const path = spool_file(dir);
  std::error_code ec;
  if (!fs::exists(path, ec)) {
    if (!has_bytes(wal_of(path))) return finding{};
    return finding{"the database is gone, its write-ahead log is there"};
  }
  if (!has_bytes(path)) return finding{"the file is empty"};
  if (auto const survey = survey_wal(wal_of(path)); survey.damaged)
    return finding{"the write-ahead log is broken after " + std::to_string(survey.frames) + " of " +
                   std::to_string(survey.frames + survey.cut_off) + " pages"};
  finding f;
  auto const db = open_spool_file(dir, spool_access::read_only, f.damage);
  if (!f.damage.empty()) return f;
  if (!db) return db.error();
  f.damage = look_inside(db->get(), fs::file_size(path, ec));
  return f;
}

std::string utc_now() {
  auto const t = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&t, &parts);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y%m%dT%H%M%SZ", &parts);
  return text.data();
}

std::string free_name(fs::path const& dir) {
  auto const base = std::string(aside_mark) + utc_now();
  auto name = base;
  std::error_code ec;
  for (int n = 2; fs::exists(dir / name, ec) || fs::exists(wal_of(dir / name), ec); ++n)
    name = base + "." + std::to_string(n);
  return name;
}

bool write_synced(fs::path const& path, std::string const& text) {
  int const fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return false;
  bool const ok =
      ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && ::fsync(fd) == 0;
  ::close(fd);
  return ok;
}

std::optional<start_error> move_aside(fs::path const& dir, fs::path const& aside) {
  auto const path = spool_file(dir);
  std::error_code ec;
  // The log first and the database last: with the database under its new name the move is over.
  if (fs::exists(wal_of(path), ec)) fs::rename(wal_of(path), wal_of(aside), ec);
  if (ec) return cannot(dir, ec.message());
  fs::remove(fs::path(path) += "-shm", ec);
  if (fs::exists(path, ec))
    fs::rename(path, aside, ec);
  else if (!write_synced(aside, ""))
    return cannot(dir, std::strerror(errno));
  if (ec) return cannot(dir, ec.message());
  sync_folder(dir);
  return std::nullopt;
}

start_result<salvage_counts> put_new(fs::path const& dir, std::optional<fs::path> const& aside,
                                     std::int64_t last_key) {
  auto const counts = salvage_spool(aside, new_file(dir), last_key);
  if (!counts) return counts.error();
  std::error_code ec;
  fs::rename(new_file(dir), spool_file(dir), ec);
  if (ec) return start_error{"spool: cannot make " + spool_file(dir).string() + ": " + ec.message()};
  sync_folder(dir);
  return *counts;
}

start_result<spool_damage> finish(fs::path const& dir, std::string const& name, std::string const& what,
                                  std::int64_t last_key) {
  spool_damage d{what, dir / name, {}};
  std::error_code ec;
  if (!fs::exists(d.aside, ec))
    if (auto const e = move_aside(dir, d.aside)) return *e;
  if (!fs::exists(spool_file(dir), ec)) {
    auto const counts = put_new(dir, d.aside, last_key);
    if (!counts) return counts.error();
    d.counts = *counts;
    fs::remove(d.aside.string() + "-shm", ec);  // of the reading
  }
  fs::remove(marker_of(dir), ec);
  sync_folder(dir);
  return d;
}

/// What an earlier start left half done. Absent = nothing.
start_result<std::optional<spool_damage>> resume(fs::path const& dir, std::int64_t last_key) {
  std::ifstream in(marker_of(dir));
  std::string name, what;
  if (!in) return std::optional<spool_damage>();
  // A mark that was not written to its end stands for nothing moved yet.
  if (!std::getline(in, name) || !std::getline(in, what) || !name.starts_with(aside_mark) ||
      name.find('/') != std::string::npos) {
    std::error_code ec;
    fs::remove(marker_of(dir), ec);
    return std::optional<spool_damage>();
  }
  auto d = finish(dir, name, what, last_key);
  if (!d) return d.error();
  return std::optional(std::move(*d));
}

}  // namespace

std::string to_text(spool_damage const& d, fs::path const& dir) {
  auto text = "spool: " + spool_file(dir).string() + " is damaged (" + d.what + ")";
  if (d.aside.empty()) return text;
  return text + ": set aside as " + d.aside.string() + ", " + std::to_string(d.counts.salvaged) +
         " records salvaged, " + std::to_string(d.counts.lost) + " known to be lost";
}

start_result<spool_damage> replace_damaged(fs::path const& dir, std::string const& what,
                                           std::int64_t last_key) {
  auto const name = free_name(dir);
  if (!write_synced(marker_of(dir), name + "\n" + first_line(what) + "\n"))
    return cannot(dir, std::strerror(errno));
  sync_folder(dir);
  return finish(dir, name, first_line(what), last_key);
}

start_result<std::optional<spool_damage>> prepare_spool(fs::path const& dir, bool unclean,
                                                        std::int64_t last_key) {
  auto resumed = resume(dir, last_key);
  if (!resumed) return resumed.error();
  if (*resumed) return std::move(*resumed);
  std::error_code ec;
  // Now: looking makes a new one.
  bool const log = fs::exists(wal_of(spool_file(dir)), ec);
  auto const found = look(dir);
  if (!found) return found.error();
  if (!found->damage.empty()) {
    auto d = replace_damaged(dir, found->damage, last_key);
    if (!d) return d.error();
    return std::optional(std::move(*d));
  }
  if (!fs::exists(spool_file(dir), ec)) {
    auto const made = put_new(dir, std::nullopt, last_key);
    if (!made) return made.error();
  } else if (unclean && !log) {
    // A server that runs has a log, and one that was killed leaves it. Commands never remove it.
    return std::optional(spool_damage{
        "the last server was killed and its write-ahead log is gone; what it stored last may be missing",
        {},
        {}});
  }
  return std::optional<spool_damage>();
}

std::uint64_t count_set_aside(fs::path const& dir) {
  std::uint64_t n = 0;
  std::error_code ec;
  for (fs::directory_iterator it(dir, ec), end; !ec && it != end; it.increment(ec)) {
    auto const name = it->path().filename().string();
    n += name.starts_with(aside_mark) && !name.ends_with("-wal") && !name.ends_with("-shm");
  }
  return n;
}

}  // namespace profile_relay::server
