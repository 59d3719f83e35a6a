#include "packing.hpp"

#include <zlib.h>
#include <zstd.h>

#include <stdexcept>

#include "message.hpp"
#include "proto/fields.hpp"
#include "recorder.hpp"

namespace attack {

namespace tp = profile_relay::proto::fields::trace_packet;

namespace {

constexpr std::size_t bundle_size = 384u << 10;  // the service writes them under 512 KiB

std::string deflated(std::string_view in, int window_bits) {
  z_stream z{};
  if (deflateInit2(&z, 6, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY) != Z_OK)
    throw std::runtime_error("deflateInit2");
  std::string out(deflateBound(&z, in.size()) + 64, '\0');
  z.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(in.data()));
  z.avail_in = static_cast<uInt>(in.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  bool const whole = deflate(&z, Z_FINISH) == Z_STREAM_END;
  out.resize(z.total_out);
  deflateEnd(&z);
  if (!whole) throw std::runtime_error("deflate");
  return out;
}

/// The size of the first entry of a trace whose entries are all packets.
std::size_t entry_size(std::string_view trace) {
  std::size_t at = 1, length = 0;
  for (unsigned shift = 0;; shift += 7) {
    auto const byte = static_cast<unsigned char>(trace.at(at++));
    length |= static_cast<std::size_t>(byte & 0x7fu) << shift;
    if (byte < 0x80) return at + length;
  }
}

template <class Wrap>
std::string in_bundles(std::string_view trace, Wrap wrap) {
  std::string out;
  while (!trace.empty()) {
    std::size_t take = 0;
    while (take < trace.size() && take < bundle_size) take += entry_size(trace.substr(take));
    out += wrap(trace.substr(0, take));
    trace.remove_prefix(take);
  }
  return out;
}

}  // namespace

char const* name_of(form f) {
  switch (f) {
    case form::plain:
      return "plain";
    case form::zlib_bundles:
      return "zlib bundles";
    case form::zstd_bundles:
      return "zstd bundles";
    case form::gzip_file:
      return "gzip";
    default:
      return "zstd";
  }
}

std::string zlib(std::string_view bytes) { return deflated(bytes, 15); }
std::string gzip(std::string_view bytes) { return deflated(bytes, 15 + 16); }

std::string zstd(std::string_view bytes) {
  std::string out(ZSTD_compressBound(bytes.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), bytes.data(), bytes.size(), 1));
  return out;
}

std::string zlib_bundle(std::string_view trace) {
  return entry(message().text(tp::compressed_packets, zlib(trace)));
}
std::string zstd_bundle(std::string_view trace) {
  return entry(message().text(tp::zstd_compressed_packets, zstd(trace)));
}

std::string pack(std::string const& trace, form f) {
  switch (f) {
    case form::zlib_bundles:
      return in_bundles(trace, zlib_bundle);
    case form::zstd_bundles:
      return in_bundles(trace, zstd_bundle);
    case form::gzip_file:
      return gzip(trace);
    case form::zstd_file:
      return zstd(trace);
    default:
      return trace;
  }
}

}  // namespace attack
