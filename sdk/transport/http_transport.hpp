// The real transport: one thread that posts envelopes.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

#include "sdk/core/transport.hpp"
#include "sdk/transport/compress.hpp"

namespace profile_relay::sdk {

struct transport_options {
  std::string dsn{};
  content_coding coding = content_coding::gzip;
  /// Of chunks that wait or are on their way. The coded body of the one on its way comes on top.
  std::size_t max_queue_bytes = std::size_t{96} << 20;
  std::string ca_file{};  ///< PEM of trusted authorities; "" = the system's
  std::chrono::milliseconds connect_timeout{10'000};
  std::chrono::milliseconds stall_timeout{30'000};  ///< not one byte in either direction for so long
  std::chrono::milliseconds request_timeout{std::chrono::minutes{5}};
};

/// Starts the thread; nothing is sent before the first chunk. Throws std::invalid_argument for a DSN that is none
/// (dsn.hpp), std::runtime_error if libcurl or the thread cannot start.
///
/// The events are called on that thread; they must not call close(). Exceptions from them are swallowed. When which
/// chunk is sent: transport_fsm.hpp. The destructor closes with no time left. In a child made by fork() there is no
/// thread: there it takes nothing, and its destructor leaves alone what belongs to the parent.
std::unique_ptr<transport> make_http_transport(transport_options const& options, transport_events events);

}  // namespace profile_relay::sdk
