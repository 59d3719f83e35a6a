#include "server/io/content_decoder.hpp"

#include <brotli/encode.h>
#include <zlib.h>
#include <zstd.h>

#include <array>
#include <catch2/catch.hpp>
#include <string>
#include <vector>

using namespace profile_relay::server;
using state = content_decoder::state;

namespace {

std::string zip(std::string const& text, int window_bits) {
  z_stream z{};
  deflateInit2(&z, 9, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&z, static_cast<uLong>(text.size())) + 32, '\0');
  std::string in = text;
  z.next_in = reinterpret_cast<Bytef*>(in.data());
  z.avail_in = static_cast<uInt>(in.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  REQUIRE(deflate(&z, Z_FINISH) == Z_STREAM_END);
  out.resize(z.total_out);
  deflateEnd(&z);
  return out;
}

std::string compress(std::string const& text, content_coding coding) {
  if (coding == content_coding::gzip) return zip(text, 31);
  if (coding == content_coding::deflate) return zip(text, 15);
  std::string out(text.size() + 1000, '\0');
  auto size = out.size();
  if (coding == content_coding::zstd) {
    size = ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 3);
    REQUIRE_FALSE(ZSTD_isError(size));
  } else {
    REQUIRE(BrotliEncoderCompress(5, 22, BROTLI_MODE_GENERIC, text.size(),
                                  reinterpret_cast<const std::uint8_t*>(text.data()), &size,
                                  reinterpret_cast<std::uint8_t*>(out.data())));
  }
  out.resize(size);
  return out;
}

constexpr std::array codings{content_coding::gzip, content_coding::deflate, content_coding::br,
                             content_coding::zstd};

/// Feeds `wire` in slices into a room of `room` bytes at a time, as a session does; stops at the first end.
state run(content_decoder& d, std::string const& wire, std::size_t slice, std::size_t room,
          std::string& out) {
  std::vector<std::byte> buffer(room);
  state last = state::need_input;
  for (std::size_t at = 0; at < wire.size(); at += slice) {
    auto in = std::as_bytes(std::span(wire).subspan(at, std::min(slice, wire.size() - at)));
    for (;;) {
      auto const s = d.decode(in, buffer);
      in = in.subspan(s.consumed);
      out.append(reinterpret_cast<const char*>(buffer.data()), s.produced);
      last = s.now;
      if (s.now == state::damaged) return last;
      if (s.now != state::output_full) break;
    }
  }
  return last;
}

std::string sample_text() {
  std::string text;
  for (int i = 0; i < 5000; ++i) text += std::to_string(i * i);
  return text;
}

}  // namespace

TEST_CASE("names of codings") {
  CHECK(find_coding("") == content_coding::identity);
  CHECK(find_coding("identity") == content_coding::identity);
  CHECK(find_coding(" UTF-8 ") == content_coding::identity);
  CHECK(find_coding("gzip") == content_coding::gzip);
  CHECK(find_coding("X-GZip") == content_coding::gzip);
  CHECK(find_coding("deflate") == content_coding::deflate);
  CHECK(find_coding("br") == content_coding::br);
  CHECK(find_coding("zstd") == content_coding::zstd);
  CHECK_FALSE(find_coding("gzip, gzip"));
  CHECK_FALSE(find_coding("gzip, identity"));
  CHECK_FALSE(find_coding("lzma"));
}

TEST_CASE("a stream decodes to the same text in any slices") {
  auto const coding = GENERATE(from_range(codings));
  auto const slice = GENERATE(1u, 100u, 1u << 20);
  auto const room = GENERATE(1u, 4096u, 1u << 20);
  auto const text = sample_text();
  auto const decoder = make_decoder(coding);
  std::string out;
  CHECK(run(*decoder, compress(text, coding), slice, room, out) == state::finished);
  CHECK(out == text);
}

TEST_CASE("damage, data after the end and a missing end are told apart") {
  auto const coding = GENERATE(from_range(codings));
  auto const good = compress(sample_text(), coding);
  auto damaged = good;
  damaged[damaged.size() / 2] = static_cast<char>(damaged[damaged.size() / 2] ^ 0x55);
  struct row {
    char const* name;
    std::string wire;
    state now;
  };
  std::vector<row> rows{{"whole", good, state::finished},
                        {"a byte after the end", good + "x", state::damaged},
                        {"a second stream", good + good, state::damaged},
                        {"cut off", good.substr(0, good.size() - 9), state::need_input}};
  // Neither brotli nor our zstd frames have a checksum: some damage is only other data to them.
  if (coding == content_coding::gzip || coding == content_coding::deflate) {
    rows.push_back({"damaged", damaged, state::damaged});
    rows.push_back({"not compressed at all", "hello world, this is text", state::damaged});
  }
  if (coding == content_coding::zstd)
    rows.push_back({"not compressed at all", "hello world", state::damaged});
  for (auto const& r : rows) {
    for (std::size_t slice : {std::size_t{7}, r.wire.size()}) {
      INFO(r.name << ", coding " << static_cast<int>(coding) << ", slices of " << slice);
      auto const decoder = make_decoder(coding);
      std::string out;
      CHECK(run(*decoder, r.wire, slice, 4096, out) == r.now);
    }
  }
}

TEST_CASE("a bomb gives no more than the room it is given") {
  auto const coding = GENERATE(from_range(codings));
  auto const bomb = compress(std::string(64u << 20, '\0'), coding);
  REQUIRE(bomb.size() < 128u << 10);
  auto const decoder = make_decoder(coding);
  std::vector<std::byte> room(4096);
  std::size_t produced = 0, used = 0;
  for (int i = 0; i < 10; ++i) {
    auto const s = decoder->decode(std::as_bytes(std::span(bomb)).subspan(used), room);
    CHECK(s.now == state::output_full);
    produced += s.produced;
    used += s.consumed;
  }
  CHECK(produced <= 10 * room.size());
  CHECK(used < bomb.size());
}

TEST_CASE("a zstd frame cannot ask for more window than a content coding may have") {
  auto* const c = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(c, ZSTD_c_windowLog, 27);
  std::string const text(1000, 'x');
  std::string out(2000, '\0');
  ZSTD_inBuffer in{text.data(), text.size(), 0};
  ZSTD_outBuffer to{out.data(), out.size(), 0};
  ZSTD_compressStream2(c, &to, &in, ZSTD_e_flush);  // a flush, so that the frame does not know its size
  REQUIRE(ZSTD_compressStream2(c, &to, &in, ZSTD_e_end) == 0);
  ZSTD_freeCCtx(c);
  out.resize(to.pos);
  std::string decoded;
  CHECK(run(*make_decoder(content_coding::zstd), out, out.size(), 4096, decoded) == state::damaged);
}
