#include <string>
#include <string_view>

#include "proto/fields.hpp"
#include "tests/fuzz/check.hpp"
#include "tests/fuzz/packing.hpp"
#include "tests/fuzz/targets.hpp"
#include "tests/fuzz/trace_checks.hpp"

namespace profile_relay::fuzz {
namespace {

namespace pd = perfetto_decode;
namespace field = proto::fields::trace_packet;

enum class way : unsigned { zlib, gzip, zstd, raw_zlib, raw_zstd, gzip_file, zstd_file };
constexpr unsigned ways = 7;

std::string packed(way how, std::string_view content) {
  auto const half = content.size() / 2;
  switch (how) {
    case way::zlib:
      return packet_with(field::compressed_packets, zlib(content));
    case way::gzip:
      return packet_with(field::compressed_packets, gzip(content));
    case way::zstd:
      return packet_with(field::zstd_compressed_packets, zstd(content));
    case way::raw_zlib:
      return packet_with(field::compressed_packets, content);
    case way::raw_zstd:
      return packet_with(field::zstd_compressed_packets, content);
    case way::gzip_file:  // two members, cut anywhere
      return gzip(content.substr(0, half)) + gzip(content.substr(half));
    case way::zstd_file:
      break;
  }
  return zstd(content.substr(0, half)) + zstd(content.substr(half));
}

bool damaged(pd::decoded_trace const& t) {
  return t.counts[pd::counter::packet_corrupt] != 0 || t.counts[pd::counter::packet_truncated] != 0 ||
         t.counts[pd::counter::bundle_corrupt] != 0;
}

/// Packing must change nothing. Where damage is met, what is kept may differ: a bundle counts as one packet.
void check_same(pd::decoded_trace const& plain, pd::decoded_trace const& packed) {
  if (damaged(plain) || damaged(packed)) return;
  FUZZ_CHECK(plain.sample_records == packed.sample_records, "sample records");
  FUZZ_CHECK(plain.samples.size() == packed.samples.size(), "samples");
  FUZZ_CHECK(plain.frames.size() == packed.frames.size(), "frames");
  FUZZ_CHECK(plain.stack_frames == packed.stack_frames, "stacks");
  for (std::size_t i = 0; i < plain.samples.size(); ++i) {
    auto const &a = plain.samples[i], &b = packed.samples[i];
    FUZZ_CHECK(a.stack == b.stack && a.task == b.task, "a sample's stack or task");
    FUZZ_CHECK(a.trace_time == b.trace_time && a.wall_time == b.wall_time, "a sample's time");
  }
  for (std::size_t i = 0; i < plain.frames.size(); ++i)
    FUZZ_CHECK(plain.frames[i].function == packed.frames[i].function, "a frame's name");
}

}  // namespace

void bundle(input in) {
  if (in.size() < 2) return;
  auto const lim = limits_of(in[0]);
  auto const how = static_cast<way>(std::to_integer<unsigned>(in[1]) % ways);
  std::string_view const content(reinterpret_cast<const char*>(in.data()) + 2, in.size() - 2);
  auto const bytes = packed(how, content);
  auto const decoded = pd::decode(std::as_bytes(std::span(bytes.data(), bytes.size())), lim);
  if (!decoded) return;
  check_decoded(*decoded, lim);
  if (how == way::raw_zlib || how == way::raw_zstd) return;
  if (auto const plain = pd::decode(in.subspan(2), lim)) check_same(*plain, *decoded);
}

}  // namespace profile_relay::fuzz
