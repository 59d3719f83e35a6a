// Bundles that promise more than they may hold.
#include <zlib.h>

#include <catch2/catch.hpp>

#include "packing.hpp"
#include "proto/fields.hpp"
#include "recorder.hpp"
#include "run.hpp"

using namespace attack;
using pd::errc;

namespace {

namespace tp = profile_relay::proto::fields::trace_packet;

constexpr std::size_t packet_limit = 4 * MiB;

/// A packet whose body is `size` bytes, of which nobody reads any.
std::string packet_of(std::size_t size) {
  // Tag of field 900 and a length of four bytes at most.
  for (std::size_t body = size - 6;; ++body) {
    message const m = message().text(900, std::string(body, 'a'));
    if (m.size() == size) return entry(m);
    if (m.size() > size) throw std::logic_error("no such size");
  }
}

std::string of_megabytes(std::size_t n) {
  std::string out;
  for (std::size_t i = 0; i < n; ++i) out += packet_of(MiB - 5);
  return out;
}

}  // namespace

TEST_CASE("a bundle that inflates a thousandfold") {
  auto const trace = of_megabytes(60);
  for (auto const& [name, bytes] :
       {std::pair{"60 MiB in one zlib bundle", zlib_bundle(trace)},
        {"60 MiB in one zstd bundle", zstd_bundle(trace)},
        {"60 MiB in zlib bundles", pack(trace, form::zlib_bundles)},
        {"60 MiB in gzip", gzip(trace)},
        {"60 MiB in zstd", zstd(trace)},
        {"60 MiB in gzip members", gzip(trace.substr(0, 7)) + gzip(trace.substr(7))}}) {
    INFO(name);
    check_refused(decode_under(name, bytes, 16 * MiB), errc::too_many_inflated);
  }
  // The limit is on the whole, not on each bundle.
  check_success(decode_under("48 MiB in one zlib bundle", zlib_bundle(of_megabytes(48)), 16 * MiB));
}

TEST_CASE("a bundle in a bundle") {
  auto const inner = entry(message().num(tp::timestamp, 1));
  for (auto const outer_is_zlib : {true, false})
    for (auto const inner_is_zlib : {true, false}) {
      auto const one = inner_is_zlib ? zlib_bundle(inner) : zstd_bundle(inner);
      auto const two = outer_is_zlib ? zlib_bundle(one) : zstd_bundle(one);
      check_refused(decode_under("nested bundle", two, 16 * MiB), errc::nested_bundle);
      check_refused(decode_under("nested bundle in gzip", gzip(two), 16 * MiB), errc::nested_bundle);
      check_refused(decode_under("nested bundle in zstd", zstd(two), 16 * MiB), errc::nested_bundle);
    }
  // A thousand levels deep: refused at the second.
  std::string deep = inner;
  for (int i = 0; i < 1'000; ++i) deep = zlib_bundle(deep);
  check_refused(decode_under("a thousand nested bundles", deep, 16 * MiB), errc::nested_bundle);
}

TEST_CASE("a packet of 4 MiB passes, one byte more does not") {
  auto const fits = packet_of(packet_limit), does_not = packet_of(packet_limit + 1);
  for (auto const f : all_forms) {
    INFO(name_of(f));
    check_success(decode_under(std::string("packet of 4 MiB, ") + name_of(f), pack(fits, f), 16 * MiB));
    check_refused(
        decode_under(std::string("packet of 4 MiB + 1, ") + name_of(f), pack(does_not, f), 16 * MiB),
        errc::packet_too_large);
  }
  // The announced length decides, before the body is there.
  std::string announced = message().bytes();
  announced += '\x0a';
  put_varint(announced, std::uint64_t{1} << 40);
  check_refused(decode_under("packet of 2^40 bytes", announced, MiB), errc::packet_too_large);
  for (auto const f : {form::gzip_file, form::zstd_file})
    check_refused(decode_under("packet of 2^40 bytes, packed", pack(announced, f), 16 * MiB),
                  errc::packet_too_large);
}

TEST_CASE("streams that end early, repeat themselves or lie about their window") {
  auto const plain = of_megabytes(2);
  auto const whole = zlib(plain);
  auto const as_bundle = [](std::string const& stream) {
    return entry(message().num(tp::timestamp, 1)) + entry(message().text(tp::compressed_packets, stream));
  };
  for (std::size_t cut = 0; cut < whole.size(); cut += 7) {
    auto const o = decode_under("zlib stream cut", as_bundle(whole.substr(0, cut)), 16 * MiB);
    check_success(o);
    CHECK(o.counts[pd::counter::bundle_corrupt] == 1);
  }
  // A distance of 32 KiB when nothing came before: a match that reaches in front of the stream.
  std::string const before_start("\x78\x9c\x4b\x04\xf2\x00\x00\x00", 8);
  check_success(decode_under("match before the stream", as_bundle(before_start), 16 * MiB));
  // zstd: a frame header that asks for a window of 2^41 bytes.
  std::string const large_window("\x28\xb5\x2f\xfd\x00\xf8\x01\x00\x00", 9);
  auto const o = decode_under("zstd window of 2^41",
                              entry(message().num(tp::timestamp, 1)) +
                                  entry(message().text(tp::zstd_compressed_packets, large_window)),
                              16 * MiB);
  check_success(o);
  CHECK(o.counts[pd::counter::bundle_corrupt] == 1);
}
