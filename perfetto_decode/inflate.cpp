#include "perfetto_decode/inflate.hpp"

#include <zlib.h>
#define ZSTD_STATIC_LINKING_ONLY  // for what tells a frame's need of memory before it is taken
#include <zstd.h>

#include <algorithm>
#include <initializer_list>
#include <limits>

namespace profile_relay::perfetto_decode {
namespace {
constexpr int zlib_or_gzip = 15 + 32;
constexpr int zstd_window_log = 23;
static_assert((std::size_t{1} << zstd_window_log) == inflater::zstd_window_bytes);

/// The smallest window logarithm that a frame's header is content with, at most zstd_window_log.
int window_log_of(byte_span input) {
  constexpr int least = 10;
  ZSTD_frameHeader header{};
  bool const known = ZSTD_getFrameHeader(&header, input.data(), input.size()) == 0;
  if (!known || header.frameType != ZSTD_frame)
    return least;  // nothing to decode: damage, or a frame to skip
  int log = least;
  while (log < zstd_window_log && (std::uint64_t{1} << log) < header.windowSize) ++log;
  return log;
}

bool starts_with(byte_span s, std::initializer_list<unsigned> magic) {
  if (s.size() < magic.size()) return false;
  return std::equal(magic.begin(), magic.end(), s.begin(),
                    [](unsigned m, std::byte b) { return m == static_cast<std::uint8_t>(b); });
}
}  // namespace

std::optional<packing> packing_of_file(byte_span trace) {
  if (starts_with(trace, {0x1f, 0x8b})) return packing::gzip_members;
  if (starts_with(trace, {0x28, 0xb5, 0x2f, 0xfd})) return packing::zstd_frames;
  return std::nullopt;
}

struct inflater::codec {
  z_stream z{};
  ZSTD_DCtx* zstd = nullptr;
  ZSTD_inBuffer in{};
  bool z_ready = false;

  ~codec() {
    if (z_ready) inflateEnd(&z);
    ZSTD_freeDCtx(zstd);
  }
};

inflater::inflater(packing how, byte_span input, memory_budget& working)
    : codec_(std::make_unique<codec>()), working_(&working), how_(how) {
  if (how == packing::zlib_stream || how == packing::gzip_members) {
    charge(zlib_bytes);
    codec_->z_ready = inflateInit2(&codec_->z, zlib_or_gzip) == Z_OK;
    if (!codec_->z_ready) throw std::bad_alloc();
  } else {
    charge_frame(input);
    codec_->zstd = ZSTD_createDCtx();
    if (codec_->zstd == nullptr) throw std::bad_alloc();
  }
  start(input);
}

void inflater::charge(std::size_t need) {
  if (need <= charged_) return;
  working_->take(need - charged_);
  charged_ = need;
}

void inflater::charge_frame(byte_span input) {
  charge(ZSTD_estimateDStreamSize(std::size_t{1} << window_log_of(input)) + (64u << 10));
}

void inflater::start(byte_span input) {
  state_ = input.empty() ? state::truncated : state::running;
  if (codec_->z_ready) {
    // zlib's interface predates const; it does not write to its input.
    codec_->z.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(input.data()));
    codec_->z.avail_in =
        static_cast<uInt>(std::min<std::size_t>(input.size(), std::numeric_limits<uInt>::max()));
  } else {
    codec_->in = {input.data(), input.size(), 0};
    ZSTD_DCtx_setParameter(codec_->zstd, ZSTD_d_windowLogMax, window_log_of(input));
  }
}

void inflater::next_frame(byte_span input) {
  charge_frame(input);
  ZSTD_DCtx_setParameter(codec_->zstd, ZSTD_d_windowLogMax, window_log_of(input));
}

void inflater::restart(byte_span input) {
  if (codec_->z_ready)
    inflateReset(&codec_->z);
  else
    ZSTD_DCtx_reset(codec_->zstd, ZSTD_reset_session_only);
  start(input);
}

inflater::~inflater() { working_->refund(charged_); }

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
      else
        next_frame({static_cast<const std::byte*>(in.src) + in.pos, in.size - in.pos});
    } else if (in.pos == in.size && o.pos < o.size) {
      state_ = state::truncated;
    }
  }
  return written;
}

}  // namespace profile_relay::perfetto_decode
