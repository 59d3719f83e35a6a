#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "server/core/delivery_events.hpp"
#include "server/core/record_io.hpp"
#include "server/io/delivery_error.hpp"
#include "server/io/spool_damage.hpp"
#include "server/io/spool_lock.hpp"
#include "server/io/spool_rows.hpp"

namespace profile_relay::server {

struct spool_options {
  std::filesystem::path dir;
  std::uint64_t max_disk_size = 500u << 20;     ///< sum of spool_size(); the last 5 % only takes outcomes
  std::uint64_t max_queue_bytes = 512u << 20;   ///< of records that wait for the writer; beyond: `full`
  std::chrono::milliseconds probe_pause{5000};  ///< between tries on a disk that failed
  std::chrono::milliseconds look_pause{1000};   ///< between looks at what other processes did
  /// Answers of one group of calls, in order, from the spool's thread.
  std::function<void(std::vector<delivery_event>)> answer;
  std::function<void(std::string const&)> log_info, log_error;  ///< from the spool's thread
};

/// A plain copy for readiness and metrics.
struct spool_stats {
  std::uint64_t live_records = 0, dead_records = 0;
  std::uint64_t bytes = 0;                ///< counted against max_disk_size, dead records included
  bool has_room = true;                   ///< for a profile of the size last asked for
  bool failed = false;                    ///< the last write failed
  std::optional<std::int64_t> oldest_ms;  ///< when the oldest live record was stored, Unix milliseconds
  std::uint64_t set_aside = 0;            ///< damaged databases in the folder
  salvage_counts salvage;                 ///< of those that this process set aside
};

/// The spool: SQLite in WAL mode, every answer after a synced commit. One writer thread takes all calls that
/// have queued up and commits them as one transaction; if that fails, each call is tried alone, so that one
/// record that does not fit the disk cannot take others with it. After a failed write it tries a small write
/// every few seconds and says when the disk works again: nobody else would, because a server without room
/// gets no traffic.
///
/// Other processes may list, remove and revive records meanwhile (spool_commands.hpp), never one that is in flight.
/// Once a second the thread asks SQLite whether somebody did, counts again and says so (event::revived).
///
/// Damage, at the start or later, costs the damaged records only: spool_damage.hpp.
///
/// The file does not shrink; its free pages are used again. Thread-safe.
class sqlite_spool final : public record_store {
 public:
  /// Takes the exclusive lock, opens or creates the file, counts what is there.
  static start_result<std::unique_ptr<sqlite_spool>> open(spool_options options);
  ~sqlite_spool() override;

  void put(std::uint64_t id, record_ptr record) override;
  void take_oldest(std::int64_t after_key, std::uint64_t max_bytes) override;
  void release(std::vector<std::int64_t> keys) override;
  void remove(std::int64_t key) override;
  void mark_dead(std::int64_t key, std::string why) override;

  /// Does what is queued, answers it, ends the thread, gives file and lock back. Later calls are ignored.
  void close();
  spool_stats stats() const;

 private:
  struct call {
    enum class kind : std::uint8_t { put, remove, mark_dead, take, release } what;
    std::uint64_t id = 0;
    std::int64_t key = 0;
    std::uint64_t bytes = 0;  // put: spool_size; take: at most
    record_ptr record{};
    std::string why{};
    bool told = true;                  // mark_dead: its outcome was sent
    bool refused = false;              // there was no room in the queue
    std::vector<std::int64_t> keys{};  // release: these; take: what was taken
  };
  struct tally {
    std::uint64_t live = 0, dead = 0, bytes = 0;
  };
  struct statements {
    spool_rows rows;
    sqlite_statement begin, commit, rollback, remove_record, remove_body, mark_dead, take, mark, release,
        oldest, first_waiting, probe, version;
    bool prepare(sqlite3* db);
  };

  sqlite_spool(spool_options options, spool_lock lock);
  /// Opens what prepare_spool() or replace_damaged() left. An error, or absent.
  std::optional<start_error> use_file();
  bool count();
  void forget_flights();
  void enqueue(call c);

  // All below: the writer thread only.
  void run();
  void handle(std::span<call> calls);
  void write(std::span<call> calls, std::vector<delivery_event>& answers);
  int transact(std::span<call> calls, std::vector<delivery_event>& answers);
  int apply(call& c, tally& t, std::vector<delivery_event>& answers);
  int put_now(call const& c, tally& t, std::vector<delivery_event>& answers);
  int remove_now(call const& c, tally& t, std::vector<delivery_event>& answers);
  int mark_dead_now(call const& c, tally& t, std::vector<delivery_event>& answers);
  int take_now(call& c);
  int release_now(std::vector<std::int64_t> const& keys);
  void read_taken(call& c);
  void bury_damaged(std::int64_t key);
  bool replace_file(std::string const& what);
  void look();
  void probe();
  void note_result(int rc);
  void note_damage(spool_damage const& d);
  void publish();

  spool_options options_;
  std::optional<spool_lock> lock_;
  sqlite_ptr db_;
  statements sql_;
  tally tally_;
  std::uint64_t wanted_ = 0;  // the size that last found no room
  bool failed_ = false;
  std::string words_;                     // SQLite's, of the last failed write
  std::vector<std::int64_t> unreleased_;  // a failed write kept them marked
  std::int64_t last_key_ = 0;             // ever used
  std::int64_t version_ = 0;              // PRAGMA data_version: changes with another process's commit
  std::chrono::steady_clock::time_point next_look_{}, next_probe_{};
  std::optional<std::chrono::steady_clock::time_point> replaced_at_;
  std::uint64_t set_aside_ = 0;
  salvage_counts salvage_;

  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable wake_;
  std::deque<call> queue_;
  std::uint64_t queued_bytes_ = 0;
  bool closing_ = false;
  spool_stats stats_;

  std::thread thread_;
};

}  // namespace profile_relay::server
