// Drives the lifecycle: one sampler, one open chunk, one transport.
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "profile_relay/profiler.hpp"
#include "sdk/client/client_parts.hpp"
#include "sdk/client/open_chunk.hpp"
#include "sdk/lifecycle/lifecycle.hpp"

namespace profile_relay::sdk {

/// Memory of chunks that are complete and not yet with the transport; beyond it the oldest are dropped and counted.
inline constexpr std::size_t max_waiting_bytes = std::size_t{64} << 20;
/// Where a chunk takes nothing more, should it not be cut in time: below the server's 100,000 samples and 50 MiB.
inline constexpr std::uint64_t hard_max_samples = 99'000;
inline constexpr std::size_t hard_max_bytes = std::size_t{46} << 20;

/// The client of one process. Locks, in the order in which they may be taken:
///
///   close_     one close at a time
///   control_   the lifecycle. The sampler's thread only tries it: a thread that holds it may wait for the sampler
///   sampler_   starting and stopping the sampler; the one who holds it may wait for a tick
///   trace_     builders and what they share. Never taken by an application's thread, but in close()
///   gate_      pointers and queues, for a few instructions
///
/// Stopping means: the open chunk is sealed at once, what the sampler still brings is thrown away, and the worker stops the
/// sampler. So stop_profiler() waits for nobody. The transport and the log are called under no lock.
class client final : private tick_sink {
 public:
  /// `forked`: in a child, where nothing starts by itself and no launch is recorded.
  client(profiler_options const& options, client_parts parts, bool forked = false);
  ~client() override;
  client(client const&) = delete;
  client& operator=(client const&) = delete;

  start_result start_profiler();
  stop_result stop_profiler();
  /// The id of a span that counts, or 0.
  std::uint64_t begin_root_span(root_span_info const& info);
  void end_root_span(std::uint64_t id);
  void begin_user_session();
  void finish_app_start();
  [[nodiscard]] bool is_running() const;
  [[nodiscard]] std::string profiler_id() const;
  void close(std::chrono::milliseconds deadline);

  /// False in a forked child, where nothing else of it may be touched.
  [[nodiscard]] bool of_this_process() const noexcept;
  /// Samples that were lost for want of memory or time since the start.
  [[nodiscard]] std::uint64_t dropped_samples() const { return dropped_.load(); }
  /// Bytes of complete chunks that wait for the worker.
  [[nodiscard]] std::size_t waiting_bytes() const;

 private:
  struct outcome {
    std::optional<start_result> started;
    std::optional<stop_result> stopped;
    std::vector<std::string> lines;
    bool wake = false;
  };
  using chunk_ptr = std::shared_ptr<open_chunk>;

  void on_missed(std::span<const std::int32_t> tids) noexcept override;
  void on_tick(std::span<const stack_sample> samples, tick_counts const& counts) noexcept override;

  outcome tell(lifecycle_event const& e);
  void apply(lifecycle_event const& e, outcome& out);  // control_ is held
  void settle(outcome& out);                           // no lock is held
  bool start_sampler(std::string const& profiler_id, outcome& out);
  void ensure_transport();
  [[nodiscard]] chunk_ptr make_chunk(std::string profiler_id) const;
  void open(chunk_ptr fresh);
  void seal(outcome& out);
  void cut_if_due(std::size_t coming);
  void add(open_chunk& chunk, std::span<const stack_sample> samples, tick_counts const& counts,
           std::vector<std::int32_t> const& missed);
  void work();
  void hand_over(open_chunk& chunk);
  void say(std::string const& line) const noexcept;
  [[nodiscard]] double trace_rate(root_span_info const& info) const;
  [[nodiscard]] lifecycle_time now() const;
  [[nodiscard]] chunk_ptr current() const;

  const int pid_;
  const profiler_options options_;
  client_parts parts_;

  std::mutex close_;
  mutable std::mutex control_;
  lifecycle lifecycle_;
  std::uint64_t next_span_ = lifecycle::app_start_span + 1;
  bool working_ = false;

  std::mutex sampler_;
  bool sampling_ = false;
  bool stop_wanted_ = false;

  std::mutex trace_;
  std::vector<std::int32_t> missed_;  ///< of the tick that is being told

  mutable std::mutex gate_;
  chunk_ptr chunk_;
  chunk_limits limits_;
  std::deque<chunk_ptr> waiting_;
  std::size_t waiting_bytes_ = 0;
  std::vector<std::string> late_lines_;

  std::unique_ptr<transport> transport_;
  std::atomic<std::uint64_t> dropped_{0};
};

}  // namespace profile_relay::sdk
