// One profile, packed in every way a trace may come, and the ways in which packing can be damaged.
#include <zlib.h>
#include <zstd.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <protozero/pbf_reader.hpp>
#include <protozero/pbf_writer.hpp>
#include <sstream>

#include "dump.hpp"

namespace pd = profile_relay::perfetto_decode;

namespace {

std::string read_trace(std::string const& name) {
  std::ifstream f(std::string(TEST_BUILD_DIR) + "/traces/" + name + ".pftrace", std::ios::binary);
  std::stringstream s;
  s << f.rdbuf();
  return s.str();
}

std::string deflate(std::string const& in, int window_bits) {
  z_stream z{};
  REQUIRE(deflateInit2(&z, 6, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string out(deflateBound(&z, in.size()) + 64, '\0');
  z.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(in.data()));
  z.avail_in = static_cast<uInt>(in.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  REQUIRE(deflate(&z, Z_FINISH) == Z_STREAM_END);
  out.resize(z.total_out);
  deflateEnd(&z);
  return out;
}
std::string zlib(std::string const& in) { return deflate(in, 15); }
std::string gzip(std::string const& in) { return deflate(in, 15 + 16); }
std::string zstd(std::string const& in) {
  std::string out(ZSTD_compressBound(in.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), in.data(), in.size(), 3));
  return out;
}

std::string packet_with(std::uint32_t field, std::string const& payload) {
  std::string packet, trace;
  protozero::pbf_writer(packet).add_bytes(field, payload);
  protozero::pbf_writer(trace).add_bytes(1, packet);
  return trace;
}
std::string bundle(std::string const& trace) { return packet_with(50, zlib(trace)); }
std::string zstd_bundle(std::string const& trace) { return packet_with(133, zstd(trace)); }

/// Cuts a trace into `n` runs of whole packets.
std::vector<std::string> runs(std::string const& trace, std::size_t n) {
  std::vector<std::string> packets;
  protozero::pbf_reader r(trace);
  while (r.next(1)) {
    std::string one;
    auto const v = r.get_view();
    protozero::pbf_writer(one).add_bytes(1, v.data(), v.size());
    packets.push_back(one);
  }
  std::vector<std::string> out(n);
  for (std::size_t i = 0; i < packets.size(); ++i) out[i * n / packets.size()] += packets[i];
  return out;
}

auto decode(std::string const& s, pd::limits const& lim = {}) {
  return pd::decode(std::as_bytes(std::span(s.data(), s.size())), lim);
}
std::string samples_of(std::string const& s) {
  auto const d = decode(s);
  REQUIRE(d.has_value());
  return pd::testing::dump(d.value()).dump();
}

}  // namespace

TEST_CASE("the same profile in every packing") {
  auto const plain = read_trace("android_app");
  auto const expected = samples_of(plain);
  auto const parts = runs(plain, 3);
  std::string mixed = parts[0] + bundle(parts[1]) + zstd_bundle(parts[2]);
  std::string bundles, zbundles;
  for (auto const& p : parts) {
    bundles += bundle(p);
    zbundles += zstd_bundle(p);
  }
  auto const half = plain.size() / 2;  // inside a packet
  struct row {
    const char* what;
    std::string bytes;
  };
  for (auto const& x :
       {row{"gzip", gzip(plain)},
        row{"gzip members split inside a packet", gzip(plain.substr(0, half)) + gzip(plain.substr(half))},
        row{"zstd", zstd(plain)}, row{"zstd frames", zstd(plain.substr(0, half)) + zstd(plain.substr(half))},
        row{"zlib bundles", bundles}, row{"gzip in a bundle", packet_with(50, gzip(plain))},
        row{"zstd bundles", zbundles}, row{"both codecs in one trace", mixed},
        row{"bundles inside gzip", gzip(mixed)}, row{"unknown fields between packets", "\x78\x01" + plain}}) {
    INFO(x.what);
    CHECK(samples_of(x.bytes) == expected);
  }
}

TEST_CASE("damage keeps what precedes it and is counted") {
  auto const plain = read_trace("perf_unsorted_equal_times");
  auto const whole = decode(plain).value();
  REQUIRE(whole.samples.size() > 1);
  auto const damaged_zlib = [&] {
    auto z = zlib(plain);
    z[z.size() / 2] = static_cast<char>(z[z.size() / 2] ^ 0x55);
    return z;
  }();
  struct row {
    const char* what;
    std::string tail;
    pd::counter counted;
  };
  for (auto const& x :
       {row{"a packet cut off", std::string("\x0a\x20\x08\x01", 4), pd::counter::packet_truncated},
        row{"a field that is none", std::string("\x07", 1), pd::counter::packet_corrupt},
        row{"a packet that does not parse", std::string("\x0a\x02\x42\x05", 4), pd::counter::packet_corrupt},
        row{"a bundle with a damaged stream", packet_with(50, damaged_zlib), pd::counter::bundle_corrupt},
        row{"a bundle cut off", packet_with(50, zlib(plain).substr(0, 40)), pd::counter::bundle_corrupt},
        row{"bytes after the stream", packet_with(50, zlib(plain) + "x"), pd::counter::bundle_corrupt},
        row{"a second stream", packet_with(50, zlib(plain) + zlib(plain)), pd::counter::bundle_corrupt},
        row{"a second frame", packet_with(133, zstd(plain) + zstd(plain)), pd::counter::bundle_corrupt},
        row{"content that is no packet", packet_with(50, zlib("\x10\x01")), pd::counter::bundle_corrupt}}) {
    INFO(x.what);
    auto const bytes = plain + x.tail;  // the decoded trace points into it
    auto const d = decode(bytes);
    REQUIRE(d.has_value());
    CHECK(d.value().samples.size() == whole.samples.size());
    CHECK(d.value().counts[x.counted] == 1);
    if (x.counted != pd::counter::packet_truncated) CHECK(d.value().counts.corrupt_offset == plain.size());
  }
}

TEST_CASE("a trace of which nothing can be kept is refused") {
  auto const plain = read_trace("perf_unsorted_equal_times");
  for (auto const& bytes : {std::string("\x07nonsense"), std::string("\x0a\x01\x07", 3), gzip("\x07")}) {
    auto const d = decode(bytes);
    REQUIRE(d.has_error());
    CHECK(d.error().code == pd::errc::unreadable);
  }
  auto const nested = decode(plain + bundle(bundle(plain)));
  REQUIRE(nested.has_error());
  CHECK(nested.error().code == pd::errc::nested_bundle);
  CHECK(nested.error().offset == plain.size());
  CHECK(decode("").has_value());
}

TEST_CASE("a large bundle is read through a window") {
  // One profile and 5 MiB of padding in fields that nobody reads.
  auto const plain = read_trace("android_app");
  std::string padding;
  for (int i = 0; i < 5; ++i) padding += packet_with(900, std::string(1u << 20, 'p'));
  auto const expected = pd::testing::dump(decode(plain).value())["samples"];
  for (auto const& bytes : {bundle(padding + plain), zstd_bundle(padding + plain)}) {
    auto const d = decode(bytes);
    REQUIRE(d.has_value());
    CHECK(pd::testing::dump(d.value())["samples"] == expected);
  }
  pd::limits small;
  small.inflated_bytes = 1u << 20;
  auto const refused = decode(bundle(padding + plain), small);
  REQUIRE(refused.has_error());
  CHECK(refused.error().code == pd::errc::too_many_inflated);
  auto damaged = zlib(padding + plain);
  auto const with_damage = plain + packet_with(50, damaged + "x");  // the decoded trace points into it
  auto const d = decode(with_damage);
  REQUIRE(d.has_value());
  CHECK(d.value().counts[pd::counter::bundle_corrupt] == 1);
  CHECK(pd::testing::dump(d.value())["samples"] == expected);
}

TEST_CASE("an error inside a large bundle is where the bundle is") {
  auto const plain = read_trace("perf_unsorted_equal_times");
  std::string padding;
  for (int i = 0; i < 5; ++i) padding += packet_with(900, std::string(1u << 20, 'p'));
  pd::limits few;
  few.packets = 5;
  few.packets += static_cast<std::uint32_t>(decode(plain).value().packets);
  auto const refused = decode(plain + bundle(padding + plain), few);
  REQUIRE(refused.has_error());
  CHECK(refused.error().code == pd::errc::too_many_packets);
  CHECK(refused.error().offset == plain.size());
}
