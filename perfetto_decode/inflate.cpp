#include "perfetto_decode/inflate.hpp"

#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <limits>

namespace profile_relay::perfetto_decode {
namespace {
constexpr int zlib_or_gzip = 15 + 32;
constexpr int zstd_window_log = 23;
static_assert((std::size_t{1} << zstd_window_log) == inflater::zstd_window_bytes);
}  // namespace

struct inflater::codec {
  z_stream z{};
  ZSTD_DCtx* zstd = nullptr;
  ZSTD_inBuffer in{};
  bool z_ready = false;
  bool frame_open = false;

  ~codec() {
    if (z_ready) inflateEnd(&z);
    ZSTD_freeDCtx(zstd);
  }
};

inflater::inflater(packing how, byte_span input) : codec_(std::make_unique<codec>()), how_(how) {
  if (how == packing::zlib_stream || how == packing::gzip_members) {
    // zlib's interface predates const; it does not write to its input.
    codec_->z.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(input.data()));
    codec_->z.avail_in =
        static_cast<uInt>(std::min<std::size_t>(input.size(), std::numeric_limits<uInt>::max()));
    codec_->z_ready = inflateInit2(&codec_->z, zlib_or_gzip) == Z_OK;
    if (!codec_->z_ready) throw std::bad_alloc();
  } else {
    codec_->zstd = ZSTD_createDCtx();
    if (codec_->zstd == nullptr) throw std::bad_alloc();
    ZSTD_DCtx_setParameter(codec_->zstd, ZSTD_d_windowLogMax, zstd_window_log);
    codec_->in = {input.data(), input.size(), 0};
    codec_->frame_open = true;
  }
  if (input.empty()) state_ = state::truncated;
}

inflater::~inflater() = default;

std::size_t inflater::read(std::span<std::byte> out) {
  std::size_t written = 0;
  while (state_ == state::running && written < out.size()) {
    if (codec_->z_ready) {
      auto& z = codec_->z;
      auto const room = static_cast<uInt>(std::min<std::size_t>(out.size() - written, 1u << 30));
      z.next_out = reinterpret_cast<Bytef*>(out.data() + written);
      z.avail_out = room;
      int const rc = ::inflate(&z, Z_NO_FLUSH);
      written += room - z.avail_out;
      if (rc == Z_STREAM_END) {
        if (z.avail_in == 0)
          state_ = state::done;
        else if (how_ == packing::zlib_stream || inflateReset(&z) != Z_OK)
          state_ = state::damaged;  // bytes after the stream
      } else if (rc == Z_BUF_ERROR || (rc == Z_OK && z.avail_in == 0 && z.avail_out != 0)) {
        state_ = state::truncated;
      } else if (rc != Z_OK) {
        state_ = state::damaged;
      }
      continue;
    }
    auto& in = codec_->in;
    ZSTD_outBuffer o{out.data() + written, out.size() - written, 0};
    std::size_t const rc = ZSTD_decompressStream(codec_->zstd, &o, &in);
    written += o.pos;
    if (ZSTD_isError(rc) != 0U) {
      state_ = state::damaged;
    } else if (rc == 0) {
      if (in.pos == in.size)
        state_ = state::done;
      else if (how_ == packing::zstd_frame)
        state_ = state::damaged;
    } else if (in.pos == in.size && o.pos < o.size) {
      state_ = state::truncated;
    }
  }
  return written;
}

}  // namespace profile_relay::perfetto_decode
