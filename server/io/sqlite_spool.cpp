// The calling side of the spool and its thread; what the thread does with SQLite is in
// sqlite_spool_writer.cpp.
#include "server/io/sqlite_spool.hpp"

#include <chrono>
#include <iterator>
#include <utility>

namespace profile_relay::server {
namespace {

// Of one transaction: keeps the WAL and the wait for the first answer bounded.
constexpr std::uint64_t max_group_bytes = 64u << 20;

}  // namespace

start_result<std::unique_ptr<sqlite_spool>> sqlite_spool::open(spool_options options) {
  auto lock = spool_lock::take(options.dir);
  if (!lock) return lock.error();
  auto db = open_spool_file(options.dir, spool_access::read_write);
  if (!db) return db.error();
  std::unique_ptr<sqlite_spool> spool(new sqlite_spool(std::move(options), std::move(*lock), std::move(*db)));
  if (!spool->sql_.prepare(spool->db_.get()) || !spool->count())
    return spool_error(spool->options_.dir, spool->db_.get());
  spool->publish();
  spool->thread_ = std::thread([s = spool.get()] { s->run(); });
  return spool;
}

sqlite_spool::sqlite_spool(spool_options options, spool_lock lock, sqlite_ptr db)
    : options_(std::move(options)), lock_(std::move(lock)), db_(std::move(db)) {}

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
  call c{call::kind::put, id, 0, spool_size(*record), std::move(record), {}, false};
  enqueue(std::move(c));
}

void sqlite_spool::take_oldest(std::int64_t after_key, std::uint64_t max_bytes) {
  enqueue({call::kind::take, 0, after_key, max_bytes, nullptr, {}, false});
}

void sqlite_spool::remove(std::int64_t key) { enqueue({call::kind::remove, 0, key, 0, nullptr, {}, false}); }

void sqlite_spool::mark_dead(std::int64_t key, std::string why) {
  enqueue({call::kind::mark_dead, 0, key, 0, nullptr, std::move(why), false});
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
      if (failed_)
        wake_.wait_for(lock, options_.probe_pause, something);
      else
        wake_.wait(lock, something);
      if (queue_.empty() && closing_) return;
      while (!queue_.empty() && bytes < max_group_bytes) {
        auto& c = queue_.front();
        if (c.what == call::kind::put) bytes += c.bytes;
        calls.push_back(std::move(c));
        queue_.pop_front();
      }
    }
    if (calls.empty())
      probe();
    else
      handle(calls);
    {
      std::scoped_lock lock(mutex_);
      queued_bytes_ -= bytes;
    }
  }
}

void sqlite_spool::handle(std::span<call> calls) {
  std::vector<delivery_event> answers;
  // Writes first: a read must see every write that is answered before it.
  std::vector<call> writes, takes;
  for (auto& c : calls) {
    if (c.refused)
      answers.push_back(event::spool_failed{c.id, spool_failure::full});
    else
      (c.what == call::kind::take ? takes : writes).push_back(std::move(c));
  }
  if (!writes.empty()) write(writes, answers);
  publish();
  if (!answers.empty()) options_.answer(std::move(answers));
  for (auto const& c : takes) {
    std::vector<delivery_event> found;
    take_now(c, found);
    options_.answer(std::move(found));
  }
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
  std::scoped_lock lock(mutex_);
  stats_ = s;
}

}  // namespace profile_relay::server
