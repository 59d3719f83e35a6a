#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "perfetto_decode/budget.hpp"
#include "perfetto_decode/wire_reader.hpp"

namespace profile_relay::perfetto_decode {

enum class packing : std::uint8_t {
  zlib_stream,   ///< one zlib or gzip stream, nothing after it (compressed_packets)
  zstd_frame,    ///< one zstd frame, nothing after it (zstd_compressed_packets)
  gzip_members,  ///< a gzip file: any number of members
  zstd_frames,   ///< a zstd file: any number of frames
};

/// How a whole trace is packed, by its first bytes; absent = it is not. Source: perfetto-decoding 2.
std::optional<packing> packing_of_file(byte_span trace);

/// Inflates in steps whose size the caller chooses, so that output can be charged before it is taken.
/// Own memory, charged while it lives (budget_refused): 48 KiB for zlib; for zstd what the headers of the frames ask for
/// (frames with a window above `zstd_window_bytes` are damage).
class inflater {
 public:
  enum class state : std::uint8_t { running, done, damaged, truncated };
  static constexpr std::size_t zlib_bytes = 48u << 10;
  static constexpr std::size_t zstd_window_bytes = 8u << 20;

  inflater(packing how, byte_span input, memory_budget& working);
  ~inflater();
  inflater(inflater const&) = delete;
  inflater& operator=(inflater const&) = delete;

  /// Writes up to out.size() bytes and returns how many; fewer only when it is not running any more.
  std::size_t read(std::span<std::byte> out);
  state status() const { return state_; }
  /// Begins anew with the same input.
  void restart(byte_span input);

 private:
  struct codec;
  void start(byte_span input);
  void charge(std::size_t need);
  void charge_frame(byte_span input);
  void next_frame(byte_span input);

  std::unique_ptr<codec> codec_;
  memory_budget* working_;
  std::size_t charged_ = 0;
  packing how_;
  state state_ = state::running;
};

}  // namespace profile_relay::perfetto_decode
