// The calling side of the spool and its thread; what the thread does with SQLite is in
// sqlite_spool_writer.cpp.
#include "server/io/sqlite_spool.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace profile_relay::server {
namespace {

// Of one transaction: keeps the WAL and the wait for the first answer bounded.
constexpr std::uint64_t max_group_bytes = 64u << 20;

}  // namespace

start_result<std::unique_ptr<sqlite_spool>> sqlite_spool::open(spool_options options) {
  auto lock = spool_lock::take(options.dir);
  if (!lock) return lock.error();
  auto const damage = prepare_spool(options.dir, lock->found_unclean());
  if (!damage) return damage.error();
  std::unique_ptr<sqlite_spool> spool(new sqlite_spool(std::move(options), std::move(*lock)));
  if (auto const e = spool->use_file()) return *e;
  spool->forget_flights();
  spool->set_aside_ = count_set_aside(spool->options_.dir);
  if (*damage) spool->note_damage(**damage);
  spool->publish();
  spool->thread_ = std::thread([s = spool.get()] { s->run(); });
  return spool;
}

sqlite_spool::sqlite_spool(spool_options options, spool_lock lock)
    : options_(std::move(options)), lock_(std::move(lock)) {}

std::optional<start_error> sqlite_spool::use_file() {
  auto db = open_spool_file(options_.dir, spool_access::server);
  if (!db) return db.error();
  db_ = std::move(*db);
  if (!sql_.prepare(db_.get()) || !count()) return spool_error(options_.dir, db_.get());
  return std::nullopt;
}

// What the last server had in flight waits again; on a disk that refuses writes, with the first that succeeds.
void sqlite_spool::forget_flights() {
  if (sqlite_run(db_.get(), "UPDATE records SET state=0 WHERE state NOT IN (0,2)") == SQLITE_OK) return;
  sqlite_statement s(db_.get(), "SELECT key FROM records WHERE state NOT IN (0,2)");
  while (s.step() == SQLITE_ROW) unreleased_.push_back(s.integer(0));
}

sqlite_spool::~sqlite_spool() { close(); }

void sqlite_spool::close() {
  {
    std::scoped_lock lock(mutex_);
    closing_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
  sql_ = {};
  db_.reset();
  lock_.reset();
}

spool_stats sqlite_spool::stats() const {
  std::scoped_lock lock(mutex_);
  return stats_;
}

void sqlite_spool::put(std::uint64_t id, record_ptr record) {
  call c{call::kind::put};
  c.id = id;
  c.bytes = spool_size(*record);
  c.record = std::move(record);
  enqueue(std::move(c));
}

void sqlite_spool::take_oldest(std::int64_t after_key, std::uint64_t max_bytes) {
  call c{call::kind::take};
  c.key = after_key;
  c.bytes = max_bytes;
  enqueue(std::move(c));
}

void sqlite_spool::release(std::vector<std::int64_t> keys) {
  call c{call::kind::release};
  c.keys = std::move(keys);
  enqueue(std::move(c));
}

void sqlite_spool::remove(std::int64_t key) {
  call c{call::kind::remove};
  c.key = key;
  enqueue(std::move(c));
}

void sqlite_spool::mark_dead(std::int64_t key, std::string why) {
  call c{call::kind::mark_dead};
  c.key = key;
  c.why = std::move(why);
  enqueue(std::move(c));
}

void sqlite_spool::enqueue(call c) {
  {
    std::scoped_lock lock(mutex_);
    if (closing_) return;
    if (c.what == call::kind::put) {
      if (queued_bytes_ != 0 && queued_bytes_ + c.bytes > options_.max_queue_bytes) {
        c.refused = true;
        c.record.reset();
        c.bytes = 0;
      }
      queued_bytes_ += c.bytes;
    }
    queue_.push_back(std::move(c));
  }
  wake_.notify_one();
}

void sqlite_spool::run() {
  for (;;) {
    std::vector<call> calls;
    std::uint64_t bytes = 0;
    {
      std::unique_lock lock(mutex_);
      auto const something = [this] { return closing_ || !queue_.empty(); };
      wake_.wait_for(lock,
                     failed_ ? std::min(options_.probe_pause, options_.look_pause) : options_.look_pause,
                     something);
      if (queue_.empty() && closing_) return;
      while (!queue_.empty() && bytes < max_group_bytes) {
        auto& c = queue_.front();
        if (c.what == call::kind::put) bytes += c.bytes;
        calls.push_back(std::move(c));
        queue_.pop_front();
      }
    }
    if (!calls.empty())
      handle(calls);
    else if (failed_ && std::chrono::steady_clock::now() >= next_probe_)
      probe();
    if (std::chrono::steady_clock::now() >= next_look_) look();
    {
      std::scoped_lock lock(mutex_);
      queued_bytes_ -= bytes;
    }
  }
}

void sqlite_spool::handle(std::span<call> calls) {
  std::vector<delivery_event> answers;
  std::vector<call> todo;
  for (auto& c : calls) {
    if (c.refused)
      answers.push_back(event::spool_failed{c.id, spool_failure::full});
    else
      todo.push_back(std::move(c));
  }
  if (!todo.empty()) write(todo, answers);
  publish();
  if (!answers.empty()) options_.answer(std::move(answers));
  for (auto& c : todo)
    if (c.what == call::kind::take && !c.refused) read_taken(c);
}

void sqlite_spool::publish() {
  spool_stats s;
  s.live_records = tally_.live;
  s.dead_records = tally_.dead;
  s.bytes = tally_.bytes;
  s.has_room = tally_.bytes + wanted_ <= options_.max_disk_size - options_.max_disk_size / 20;
  s.failed = failed_;
  if (tally_.live != 0 && sql_.oldest.step() == SQLITE_ROW) s.oldest_ms = sql_.oldest.integer(0);
  sql_.oldest.reset();
  s.set_aside = set_aside_;
  s.salvage = salvage_;
  std::scoped_lock lock(mutex_);
  stats_ = s;
}

}  // namespace profile_relay::server
