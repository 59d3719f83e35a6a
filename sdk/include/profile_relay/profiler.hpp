// The profiling client's whole public interface: samples the stacks of this process and sends them as profile chunks.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

namespace profile_relay {

/// Who starts and stops the profiler (profiling API, R12).
enum class profile_lifecycle {
  /// start_profiler() and stop_profiler().
  manual,
  /// Sampled root spans: from the first that is active to the end of the last, and then to the end of the chunk.
  trace,
};

/// How a thread's stack is followed, once chosen for the whole process.
enum class stack_walk {
  /// unwind_tables where they are safe in a signal handler (glibc 2.35), else frame_pointers.
  automatic,
  /// Works for code as compilers build it by default.
  unwind_tables,
  /// Cheaper, but needs the application and its libraries built with -fno-omit-frame-pointer; elsewhere stacks end early
  /// and count as truncated.
  frame_pointers,
};

/// What start_profiler() did; everything but `started` is a no-op (R1 to R4).
enum class start_result {
  started,
  already_running,
  /// The draw for this session was no (profile_session_sample_rate), or transaction profiling is configured (R11).
  not_sampled,
  /// Root spans start the profiler, not this call.
  trace_lifecycle,
  /// No init(), or one that was refused.
  not_initialised,
  closed,
  /// The server asked for a pause that is not over.
  rate_limited,
  /// SIGPROF belongs to somebody else, a second copy of this library runs, or this is a thread sanitizer's build.
  sampler_unavailable,
};

/// What stop_profiler() did; everything but `stopped` is a no-op (R6, R7).
enum class stop_result { stopped, not_running, trace_lifecycle, not_initialised, closed };

/// The name of a result as it is written in the source: "already_running". Static storage.
[[nodiscard]] char const* to_string(start_result result) noexcept;
[[nodiscard]] char const* to_string(stop_result result) noexcept;

/// What the trace sampler is told of a root span.
struct root_span_info {
  std::string name{};
  std::string op{};
};

/// Gets one line without its line end. Called from any thread, also the profiler's own, but never under one of its locks:
/// it may call this interface, except close(), init() and the destructor. What it throws is swallowed.
using log_function = std::function<void(std::string const& line)>;

/// Decides the share of root spans like this one that are profiled, 0 to 1. What it throws, NaN and values outside count
/// as 0.
using rate_function = std::function<double(root_span_info const&)>;

/// docs/profiler-options.md lists them with their defaults and what is refused. Designated initialisers in this order.
struct profiler_options {
  std::string dsn{};
  std::string release{};
  std::string environment{};
  std::optional<double> profile_session_sample_rate{};
  profile_lifecycle lifecycle = profile_lifecycle::manual;
  bool start_profiler_on_app_start = false;
  std::optional<double> traces_sample_rate{};
  rate_function traces_sampler{};
  std::optional<double> profiles_sample_rate{};
  rate_function profiles_sampler{};
  std::filesystem::path state_dir{};
  std::filesystem::path ca_certs{};
  stack_walk walk = stack_walk::automatic;
  bool debug = false;
  log_function log{};
};

/// An option that cannot be used; what() names it and says why.
class invalid_options : public std::invalid_argument {
 public:
  using std::invalid_argument::invalid_argument;
};

namespace sdk {
class client;
class client_slot;
}  // namespace sdk

/// A root span that is active. Ends in its destructor, once; harmless after its client is gone, and in a forked child.
/// Move-only. One token is for one thread at a time.
class root_span {
 public:
  root_span() noexcept = default;
  root_span(root_span&& other) noexcept;
  root_span& operator=(root_span&& other) noexcept;
  root_span(root_span const&) = delete;
  root_span& operator=(root_span const&) = delete;
  ~root_span();

  /// Ends it now; later calls do nothing.
  void end() noexcept;
  /// It counts: it keeps the profiler running (R14, R15). False in the manual lifecycle and once it has ended.
  [[nodiscard]] bool sampled() const noexcept { return id_ != 0; }

 private:
  friend class sdk::client_slot;
  root_span(std::weak_ptr<sdk::client> owner, std::uint64_t id) noexcept;

  std::weak_ptr<sdk::client> owner_;
  std::uint64_t id_ = 0;  // 0: not sampled, or ended
};

/// One profiler. Every member may be called from any thread at any time before the destructor, which closes. None waits
/// for the network but close(). After fork() the child has none of it running: its first start or root span makes a new
/// one, with a draw of its own.
class profiler_client {
 public:
  /// Draws for the session (R8) and reads and writes the launch decision (R18). Throws invalid_options.
  explicit profiler_client(profiler_options options);
  ~profiler_client();
  profiler_client(profiler_client const&) = delete;
  profiler_client& operator=(profiler_client const&) = delete;

  start_result start_profiler() noexcept;
  stop_result stop_profiler() noexcept;
  /// Asks the trace sampler, but only if the session is sampled and the lifecycle is `trace` (R15).
  [[nodiscard]] root_span begin_root_span(root_span_info const& info) noexcept;
  /// A new user session: draws again for what starts from now on; what runs goes on (R10).
  void begin_user_session() noexcept;
  /// Ends the root span of the app start, if start_profiler_on_app_start began one (R19).
  void finish_app_start() noexcept;
  [[nodiscard]] bool is_running() const noexcept;
  /// 32 hex digits for the spans of now; empty unless samples are being taken (R20).
  [[nodiscard]] std::string profiler_id() const;
  /// Stops, sends what is there until the deadline, and ends. Waits for that.
  void close(std::chrono::milliseconds deadline = std::chrono::seconds(2)) noexcept;

 private:
  std::unique_ptr<sdk::client_slot> slot_;
};

/// The same over one client of this process. None throws, but profiler_id() for want of memory.
///
/// init: false when an option is refused; the reason goes to options.log, or to stderr, with and without `debug`, and
/// start_profiler() then says not_initialised. A second init closes the first client and draws again.
bool init(profiler_options options) noexcept;
start_result start_profiler() noexcept;
stop_result stop_profiler() noexcept;
[[nodiscard]] root_span begin_root_span(root_span_info const& info) noexcept;
void begin_user_session() noexcept;
void finish_app_start() noexcept;
[[nodiscard]] bool is_running() noexcept;
[[nodiscard]] std::string profiler_id();
void close(std::chrono::milliseconds deadline = std::chrono::seconds(2)) noexcept;

}  // namespace profile_relay
