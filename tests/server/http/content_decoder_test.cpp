#include "server/io/content_decoder.hpp"

#include <zlib.h>

#include <catch2/catch.hpp>
#include <string>
#include <vector>

using namespace profile_relay::server;
using state = content_decoder::state;

namespace {

std::string compress(std::string const& text, int window_bits) {
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
  CHECK_FALSE(find_coding("gzip, gzip"));
  CHECK_FALSE(find_coding("gzip, identity"));
  CHECK_FALSE(find_coding("lzma"));
}

TEST_CASE("a stream decodes to the same text in any slices") {
  auto const [coding, bits] =
      GENERATE(table<content_coding, int>({{content_coding::gzip, 31}, {content_coding::deflate, 15}}));
  auto const slice = GENERATE(1u, 100u, 1u << 20);
  auto const room = GENERATE(1u, 4096u, 1u << 20);
  auto const text = sample_text();
  auto const decoder = make_decoder(coding);
  std::string out;
  CHECK(run(*decoder, compress(text, bits), slice, room, out) == state::finished);
  CHECK(out == text);
}

TEST_CASE("damage, data after the end and a missing end are told apart") {
  auto const good = compress(sample_text(), 31);
  auto damaged = good;
  damaged[damaged.size() / 2] = static_cast<char>(damaged[damaged.size() / 2] ^ 0x55);
  auto bad_sum = good;
  bad_sum[bad_sum.size() - 6] = static_cast<char>(bad_sum[bad_sum.size() - 6] ^ 1);
  struct row {
    char const* name;
    std::string wire;
    state now;
  };
  for (auto const& r : std::vector<row>{{"whole", good, state::finished},
                                        {"damaged", damaged, state::damaged},
                                        {"wrong checksum", bad_sum, state::damaged},
                                        {"a byte after the end", good + "x", state::damaged},
                                        {"a second member", good + good, state::damaged},
                                        {"not gzip at all", "hello world, this is text", state::damaged},
                                        {"cut off", good.substr(0, good.size() - 9), state::need_input}}) {
    for (std::size_t slice : {std::size_t{7}, r.wire.size()}) {
      INFO(r.name << ", slices of " << slice);
      auto const decoder = make_decoder(content_coding::gzip);
      std::string out;
      CHECK(run(*decoder, r.wire, slice, 4096, out) == r.now);
    }
  }
}

TEST_CASE("a bomb gives no more than the room it is given") {
  auto const bomb = compress(std::string(64u << 20, '\0'), 31);
  REQUIRE(bomb.size() < 128u << 10);
  auto const decoder = make_decoder(content_coding::gzip);
  std::vector<std::byte> room(4096);
  auto const s = decoder->decode(std::as_bytes(std::span(bomb)), room);
  CHECK(s.now == state::output_full);
  CHECK(s.produced == room.size());
  CHECK(s.consumed < bomb.size());
}
