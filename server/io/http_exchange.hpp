#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "envelope/auth.hpp"
#include "server/core/pipeline.hpp"
#include "server/core/reply.hpp"
#include "server/core/tracked_chunk.hpp"
#include "server/io/http_body.hpp"
#include "server/io/http_services.hpp"

namespace profile_relay::server {

/// What a request brings besides its body.
struct request_identity {
  std::uint64_t project_id = 0;
  std::string public_key;              ///< "" = to be found in the envelope header
  std::optional<project_scope> scope;  ///< present when the key was known before the body
  std::optional<std::string> origin;
  std::string remote_addr;
  std::int64_t received_us = 0;
};

/// One envelope from its complete body to its reply: parses, runs the pipeline, hands records to delivery,
/// and waits for the end of each. Knows no sockets. Lives until its last record has ended, whether or not
/// anyone still wants the reply.
///
/// Threads: `prepare` and `run` one after the other on any thread; ends come from delivery's thread through
/// `post`.
class http_exchange final : public chunk_ends, public std::enable_shared_from_this<http_exchange> {
 public:
  using post_function = std::function<void(std::function<void()>)>;

  /// `post` runs its argument soon, on a thread that may log and count. `done` gets the reply, once, on any
  /// thread.
  http_exchange(http_services& services, request_identity who, http_body body, byte_lease lease,
                post_function post, std::function<void(http_reply)> done);

  /// Parses, authenticates where only the envelope can tell, and checks what needs no payload. Gives the
  /// bytes to lease before `run` may be called; absent = the request is over and `done` has been called.
  std::optional<std::uint64_t> prepare();
  /// Expands all chunks and submits their records, if the budget has `want` bytes now; false = not yet,
  /// nothing done.
  bool try_run(std::uint64_t want);
  /// The same with bytes that were waited for.
  void run(byte_lease extra);
  /// Ends a prepared request by `r` instead of running it: its chunks have no place here and now.
  void refuse(reason r);

 private:
  struct chunk_state {
    std::string chunk_id;
    envelope::data_category category = envelope::data_category::profile_chunk;
    chunk_fate fate;
  };

  void ended(std::size_t index, disposition d) override;
  bool forgotten(std::size_t index) noexcept override;

  std::optional<http_reply> find_scope(envelope::envelope_header const& header);
  void run_all();
  void run_chunk(tracked_chunk chunk);
  void reject(tracked_chunk chunk, rejection const& r);
  void record_ended(tracked_chunk chunk, record_end e);
  void submit_outcome(std::size_t index, reason why, std::string_view quota_reason = {});
  quota_check quotas(rate_limiter::act what) const;
  void release_one();
  void finish(http_reply reply);
  void finish_early(http_reply reply);

  http_services& services_;
  request_identity who_;
  http_body body_;
  byte_lease lease_;
  post_function post_;
  std::function<void(http_reply)> done_;

  request_facts facts_;
  std::optional<std::string> event_id_;
  std::vector<admitted_chunk> admitted_;
  std::vector<tracked_chunk> tracked_;
  std::uint64_t record_bytes_ = 0;

  std::mutex mutex_;  // guards what follows: delivery's ends may come while later chunks are still expanded
  std::vector<chunk_state> chunks_;
  rate_limits limits_;    // that any chunk has met
  std::size_t open_ = 0;  // chunks without an end, outcomes on their way, and 1 for `run` itself
};

}  // namespace profile_relay::server
