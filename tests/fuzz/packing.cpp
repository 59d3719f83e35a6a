#include "tests/fuzz/packing.hpp"

#include <zlib.h>
#include <zstd.h>

#include <memory>
#include <protozero/pbf_writer.hpp>

#include "tests/fuzz/check.hpp"

namespace profile_relay::fuzz {
namespace {

constexpr int zlib_window = 15, gzip_window = 15 + 16;

std::string deflated(std::string_view content, int window_bits) {
  z_stream z{};
  FUZZ_CHECK(deflateInit2(&z, 1, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY) == Z_OK, "deflateInit2");
  std::string out(deflateBound(&z, content.size()) + 64, '\0');
  z.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(content.data()));
  z.avail_in = static_cast<uInt>(content.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  FUZZ_CHECK(deflate(&z, Z_FINISH) == Z_STREAM_END, "deflate");
  out.resize(z.total_out);
  deflateEnd(&z);
  return out;
}

}  // namespace

std::string zlib(std::string_view content) { return deflated(content, zlib_window); }
std::string gzip(std::string_view content) { return deflated(content, gzip_window); }

std::string zstd(std::string_view content) {
  static std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> const context(ZSTD_createCCtx(),
                                                                            &ZSTD_freeCCtx);
  std::string out(ZSTD_compressBound(content.size()), '\0');
  auto const n = ZSTD_compressCCtx(context.get(), out.data(), out.size(), content.data(), content.size(), 1);
  FUZZ_CHECK(ZSTD_isError(n) == 0, "ZSTD_compressCCtx");
  out.resize(n);
  return out;
}

std::string packet_with(std::uint32_t field, std::string_view payload) {
  std::string packet, trace;
  protozero::pbf_writer(packet).add_bytes(field, payload.data(), payload.size());
  protozero::pbf_writer(trace).add_bytes(1, packet);
  return trace;
}

}  // namespace profile_relay::fuzz
