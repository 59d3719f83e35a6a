// What the spool's thread does with SQLite.
#include <algorithm>
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
  remove_record = {db, "DELETE FROM records WHERE key=?1 RETURNING size,state"};
  remove_body = {db, "DELETE FROM bodies WHERE key=?1"};
  mark_dead = {db, "UPDATE records SET state=2,why=?2,told=?3 WHERE key=?1 AND state<>2 RETURNING key"};
  take = {db, "SELECT key,size FROM records WHERE state=0 AND key>?1 ORDER BY key"};
  mark = {db, "UPDATE records SET state=1 WHERE key=?1"};
  release = {db, "UPDATE records SET state=0 WHERE key=?1 AND state<>2"};
  oldest = {db, "SELECT stored_ms FROM records WHERE state<>2 ORDER BY key LIMIT 1"};
  first_waiting = {db, "SELECT key FROM records WHERE state=0 ORDER BY key LIMIT 1"};
  // Writes a page like any other write, and changes nothing.
  probe = {db, "PRAGMA user_version=" + std::to_string(spool_format_version)};
  version = {db, "PRAGMA data_version"};
  return rows.prepare(db) && begin && commit && rollback && remove_record && remove_body && mark_dead &&
         take && mark && release && oldest && first_waiting && probe && version;
}

bool sqlite_spool::count() {
  // The version first: what is committed in between is then only counted twice.
  if (sql_.version.step() == SQLITE_ROW) version_ = sql_.version.integer(0);
  sql_.version.reset();
  sqlite_statement s(db_.get(),
                     "SELECT count(*),coalesce(sum(size),0),coalesce(sum(state=2),0),"
                     "(SELECT coalesce(max(seq),0) FROM sqlite_sequence) FROM records");
  if (s.step() != SQLITE_ROW) return false;
  tally_.bytes = static_cast<std::uint64_t>(s.integer(1));
  tally_.dead = static_cast<std::uint64_t>(s.integer(2));
  tally_.live = static_cast<std::uint64_t>(s.integer(0)) - tally_.dead;
  last_key_ = std::max(last_key_, s.integer(3));
  return true;
}

void sqlite_spool::write(std::span<call> calls, std::vector<delivery_event>& answers) {
  int rc = transact(calls, answers);
  if (is_damage(rc) && replace_file(words_)) rc = transact(calls, answers);
  if (rc != SQLITE_OK && calls.size() > 1) {
    for (auto& c : calls) write({&c, 1}, answers);
    return;
  }
  note_result(rc);
  if (rc == SQLITE_OK) return;
  auto& c = calls.front();
  switch (c.what) {
    case call::kind::put:
      answers.push_back(event::spool_failed{c.id, spool_failure::io});
      break;
    case call::kind::take:
      // Without its mark a record could be removed while it is sent; and one that is sent now could not be removed
      // afterwards either.
      c.refused = true;
      answers.push_back(event::take_failed{});
      break;
    case call::kind::release:
      unreleased_.insert(unreleased_.end(), c.keys.begin(), c.keys.end());
      break;
    case call::kind::remove:
    case call::kind::mark_dead:
      answers.push_back(event::remove_failed{c.key});
      break;
  }
}

int sqlite_spool::transact(std::span<call> calls, std::vector<delivery_event>& answers) {
  auto t = tally_;
  auto const before = answers.size();
  int rc = sql_.begin.run();
  if (rc == SQLITE_OK) rc = release_now(unreleased_);
  for (auto& c : calls) {
    if (rc != SQLITE_OK) break;
    rc = apply(c, t, answers);
  }
  // Only now are the records safe: COMMIT returns after the WAL is synced.
  if (rc == SQLITE_OK) rc = sql_.commit.run();
  if (rc == SQLITE_OK) {
    tally_ = t;
    unreleased_.clear();
    return rc;
  }
  answers.resize(before);
  words_ = sqlite_words(db_.get());
  if (db_ && !sqlite3_get_autocommit(db_.get())) sql_.rollback.run();
  return rc;
}

int sqlite_spool::apply(call& c, tally& t, std::vector<delivery_event>& answers) {
  switch (c.what) {
    case call::kind::put:
      return put_now(c, t, answers);
    case call::kind::remove:
      return remove_now(c, t, answers);
    case call::kind::mark_dead:
      return mark_dead_now(c, t, answers);
    case call::kind::take:
      return take_now(c);
    case call::kind::release:
      break;
  }
  return release_now(c.keys);
}

int sqlite_spool::remove_now(call const& c, tally& t, std::vector<delivery_event>& answers) {
  auto& s = sql_.remove_record;
  int rc = s.bind(1, c.key).step();
  bool const found = rc == SQLITE_ROW;
  if (found) {
    t.bytes -= std::min(t.bytes, static_cast<std::uint64_t>(s.integer(0)));
    auto& n = s.integer(1) == static_cast<std::int64_t>(record_state::dead) ? t.dead : t.live;
    n -= n != 0;
    rc = s.run();
  } else {
    s.reset();
  }
  if (rc != SQLITE_OK && rc != SQLITE_DONE) return rc;
  answers.push_back(event::removed{c.key});
  return found ? sql_.remove_body.bind(1, c.key).run() : SQLITE_OK;
}

int sqlite_spool::mark_dead_now(call const& c, tally& t, std::vector<delivery_event>& answers) {
  auto& s = sql_.mark_dead;
  int rc = s.bind(1, c.key).bind_text(2, c.why).bind(3, c.told ? 1 : 0).step();
  if (rc == SQLITE_ROW) {
    t.live -= t.live != 0;
    ++t.dead;
    rc = s.run();
  } else {
    s.reset();
  }
  if (rc != SQLITE_OK && rc != SQLITE_DONE) return rc;
  answers.push_back(event::removed{c.key});
  return SQLITE_OK;
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
  row_facts facts;
  facts.stored_ms = unix_ms();
  facts.size = c.bytes;
  std::int64_t key = 0;
  if (int const rc = sql_.rows.insert(std::nullopt, r, facts, key); rc != SQLITE_OK) return rc;
  last_key_ = std::max(last_key_, key);
  t.bytes += c.bytes;
  ++t.live;
  if (!is_outcome) wanted_ = 0;
  answers.push_back(event::spooled{c.id, key});
  return SQLITE_OK;
}

int sqlite_spool::take_now(call& c) {
  c.keys.clear();
  std::uint64_t bytes = 0;
  auto& s = sql_.take;
  int rc = s.bind(1, c.key).step();
  for (; rc == SQLITE_ROW; rc = s.step()) {
    bytes += static_cast<std::uint64_t>(s.integer(1));
    if (!c.keys.empty() && bytes > c.bytes) break;
    c.keys.push_back(s.integer(0));
  }
  s.reset();
  if (rc != SQLITE_ROW && rc != SQLITE_DONE) return rc;
  for (auto const key : c.keys)
    if (rc = sql_.mark.bind(1, key).run(); rc != SQLITE_OK) return rc;
  return SQLITE_OK;
}

int sqlite_spool::release_now(std::vector<std::int64_t> const& keys) {
  for (auto const key : keys)
    if (int const rc = sql_.release.bind(1, key).run(); rc != SQLITE_OK) return rc;
  return SQLITE_OK;
}

// After the commit that marked them: nobody takes them away now.
void sqlite_spool::read_taken(call& c) {
  event::stored found;
  bool failed = false;
  for (auto const key : c.keys) {
    auto record = std::make_shared<profile::kafka_record>();
    row_facts facts;
    auto const result = failed ? row_result::failed : sql_.rows.read(key, *record, facts);
    if (result == row_result::failed) {
      if (!failed)
        log(options_.log_error,
            "spool: cannot read " + spool_file(options_.dir).string() + ": " + sqlite_words(db_.get()));
      failed = true;
      unreleased_.push_back(key);
    } else if (result == row_result::damaged) {
      bury_damaged(key);
    } else if (result == row_result::found) {
      found.records.push_back({key, std::move(record), facts.told});
    }
  }
  std::vector<delivery_event> answers;
  if (found.records.empty() && failed) {
    answers.emplace_back(event::take_failed{});
  } else if (found.records.empty() && !c.keys.empty()) {
    // Only damaged ones: the next, which the caller cannot ask for because it does not know these keys.
    call next{call::kind::take};
    next.key = c.keys.back();
    next.bytes = c.bytes;
    return handle({&next, 1});
  } else {
    // What could not be read comes again with the next call: the records before it end there.
    answers.emplace_back(std::move(found));
  }
  options_.answer(std::move(answers));
}

// Kept and listed, so that it blocks nobody. No outcome: what it would say is what is damaged.
void sqlite_spool::bury_damaged(std::int64_t key) {
  call mark{call::kind::mark_dead};
  mark.key = key;
  mark.why = "damaged in the spool";
  mark.told = false;
  std::vector<delivery_event> ignored;
  write({&mark, 1}, ignored);
  publish();
  log(options_.log_error, "spool: record " + std::to_string(key) + " in " +
                              spool_file(options_.dir).string() + " is damaged; kept and marked dead");
}

bool sqlite_spool::replace_file(std::string const& what) {
  // Each time leaves a file behind. A disk that damages every file would fill itself.
  constexpr std::chrono::minutes pause{1};
  auto const now = std::chrono::steady_clock::now();
  if (replaced_at_ && now < *replaced_at_ + pause) return false;
  replaced_at_ = now;
  sqlite3_db_config(db_.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  sql_ = {};
  db_.reset();
  auto const d = replace_damaged(options_.dir, what, last_key_);
  if (d) note_damage(*d);
  auto e = d ? use_file() : std::optional(d.error());
  if (e) log(options_.log_error, e->what);
  return !e;
}

void sqlite_spool::note_damage(spool_damage const& d) {
  salvage_.salvaged += d.counts.salvaged;
  salvage_.lost += d.counts.lost;
  set_aside_ = count_set_aside(options_.dir);
  log(options_.log_error, to_text(d, options_.dir));
}

void sqlite_spool::look() {
  next_look_ = std::chrono::steady_clock::now() + options_.look_pause;
  set_aside_ = count_set_aside(options_.dir);
  auto const before = version_;
  if (sql_.version.step() == SQLITE_ROW) version_ = sql_.version.integer(0);
  sql_.version.reset();
  if (version_ == before) return publish();
  count();
  publish();
  std::optional<std::int64_t> first;
  if (sql_.first_waiting.step() == SQLITE_ROW) first = sql_.first_waiting.integer(0);
  sql_.first_waiting.reset();
  if (first) options_.answer({event::revived{*first}});
}

void sqlite_spool::probe() {
  next_probe_ = std::chrono::steady_clock::now() + options_.probe_pause;
  if (!db_) {
    // Setting a damaged file aside did not succeed then: on from where it ended.
    auto const d = prepare_spool(options_.dir, false, last_key_);
    if (d && *d) note_damage(**d);
    if (!d || use_file()) return;
  }
  int const rc = sql_.probe.run();
  words_ = sqlite_words(db_.get());
  note_result(rc);
  publish();
}

void sqlite_spool::note_result(int rc) {
  if (std::exchange(failed_, rc != SQLITE_OK) == failed_) return;
  auto const path = spool_file(options_.dir).string();
  if (failed_) {
    next_probe_ = std::chrono::steady_clock::now() + options_.probe_pause;
    log(options_.log_error, "spool: cannot write " + path + ": " + words_ +
                                "; what is stored stays, new records are refused until it works again");
  } else {
    log(options_.log_info, "spool: " + path + " can be written again");
  }
}

}  // namespace profile_relay::server
