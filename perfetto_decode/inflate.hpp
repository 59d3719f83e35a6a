#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "perfetto_decode/wire_reader.hpp"

namespace profile_relay::perfetto_decode {

enum class packing : std::uint8_t {
  zlib_stream,   ///< one zlib or gzip stream, nothing after it (compressed_packets)
  zstd_frame,    ///< one zstd frame, nothing after it (zstd_compressed_packets)
  gzip_members,  ///< a gzip file: any number of members
  zstd_frames,   ///< a zstd file: any number of frames
};

/// Inflates in steps whose size the caller chooses, so that output can be charged before it is taken.
/// Own memory: zlib 48 KiB; zstd at most `zstd_window_bytes` and 300 KiB (frames with a larger window are
/// damage).
class inflater {
 public:
  enum class state : std::uint8_t { running, done, damaged, truncated };
  static constexpr std::size_t zlib_bytes = 48u << 10;
  static constexpr std::size_t zstd_window_bytes = 8u << 20;

  inflater(packing how, byte_span input);
  ~inflater();
  inflater(inflater const&) = delete;
  inflater& operator=(inflater const&) = delete;

  /// Writes up to out.size() bytes and returns how many; fewer only when it is not running any more.
  std::size_t read(std::span<std::byte> out);
  state status() const { return state_; }

 private:
  struct codec;
  std::unique_ptr<codec> codec_;
  packing how_;
  state state_ = state::running;
};

}  // namespace profile_relay::perfetto_decode
