#include "server/io/chunk_reader.hpp"

#include <catch2/catch.hpp>
#include <cstdio>
#include <string>

using namespace profile_relay::server;
using state = chunk_reader::state;

namespace {

struct outcome {
  state now = state::need_more;
  std::string body, rest;
};

/// Feeds `wire` in slices, as the network may cut it; stops where the body ends.
outcome read_all(std::string const& wire, std::size_t slice) {
  chunk_reader reader;
  outcome out;
  for (std::size_t at = 0; at < wire.size(); at += slice) {
    out.rest += wire.substr(at, slice);
    for (;;) {
      auto const step = reader.read(std::as_bytes(std::span(out.rest)));
      out.now = step.now;
      if (step.now == state::malformed) return out;
      out.body.append(reinterpret_cast<const char*>(step.bytes.data()), step.bytes.size());
      out.rest.erase(0, step.consumed);
      if (step.now != state::piece) break;
    }
    if (out.now == state::done) {
      if (at + slice < wire.size()) out.rest += wire.substr(at + slice);
      return out;
    }
  }
  return out;
}

}  // namespace

TEST_CASE("chunked bodies, whatever the pieces of the network, and what follows is left alone") {
  auto const slice = GENERATE(1u, 2u, 3u, 7u, 1000u);
  auto const end = GENERATE("0\r\n\r\n", "000;x\r\n\r\n", "0\r\nTrailer: x\r\nEmpty:\r\n\r\n");
  auto const got = read_all("5;ext=1\r\nhello\r\n01 ; a = \"q;\\\"\\\\\" ;b\r\n \r\nA\r\nworld\r\n234\r\n" +
                                std::string(end) + "GET",
                            slice);
  CHECK(got.now == state::done);
  CHECK(got.body == "hello world\r\n234");
  CHECK(got.rest == "GET");
}

TEST_CASE("what is not the grammar of chunks is refused as soon as its line is there") {
  auto const body =
      GENERATE_COPY(from_range(std::vector<std::string>{"zz\r\n",
                                                        "\r\n",
                                                        "-1\r\n",
                                                        "+1\r\n",
                                                        "0x1\r\n",
                                                        " 1\r\n",
                                                        "1 \r\n",
                                                        "1 2\r\n",
                                                        "1;\r\n",
                                                        "1;a \r\n",
                                                        "1;a=\r\n",
                                                        "1;a=\"b\r\n",
                                                        "1;a=\"\\\r\n",
                                                        "1;a=\"\x01\"\r\n",
                                                        "1;a\x01\r\n",
                                                        "0 x\r\n",
                                                        "10000000000000000\r\n",
                                                        "1\n",
                                                        "\n",
                                                        "1\rx\r\n",
                                                        "1\r\nab",
                                                        "1\r\na\n",
                                                        "1\r\na\rb",
                                                        "0\n",
                                                        "0\r\n\n",
                                                        "0\r\nno colon\r\n",
                                                        "0\r\n: x\r\n",
                                                        "0\r\nA : x\r\n",
                                                        "0\r\nA: x\n",
                                                        "0\r\nA: \x01\r\n",
                                                        "0\r\nA: x\r\n y\r\n",
                                                        std::string(chunk_reader::max_line, '1')}));
  auto const slice = GENERATE(1u, 5000u);
  INFO(body);
  CHECK(read_all(body, slice).now == state::malformed);
}

TEST_CASE("trailers are bounded all together") {
  std::string const line = "A: " + std::string(1000, 'x') + "\r\n";
  auto const with = [&](std::size_t lines) {
    std::string wire = "0\r\n";
    for (std::size_t i = 0; i < lines; ++i) wire += line;
    return read_all(wire + "\r\n", 4096).now;
  };
  auto const fit = chunk_reader::max_trailers / line.size();
  CHECK(with(fit) == state::done);
  CHECK(with(fit + 1) == state::malformed);
}

TEST_CASE("framing is bounded by the data it frames, beyond what nobody needs") {
  struct row {
    char const* name;
    std::size_t chunks, data, extension;
    state now;
  };
  auto const r = GENERATE(values<row>({
      {"bytes in chunks of their own", 100'000, 1, 0, state::done},
      {"a signature with each chunk", 10'000, 64, 90, state::done},
      {"a few long extensions", 4, 1, 4'000, state::done},
      {"many long extensions", 5, 1, 4'000, state::malformed},
      {"many long extensions on large chunks", 1'000, 2'000, 4'000, state::done},
      {"many extensions on small chunks", 2'000, 1, 30, state::malformed},
  }));
  auto const slice = GENERATE(7u, 5000u);
  INFO(r.name);
  char size[20];
  std::snprintf(size, sizeof size, "%zx", r.data);
  auto const extension = r.extension == 0 ? "" : ";" + std::string(r.extension - 1, 'x');
  auto const chunk = size + extension + "\r\n" + std::string(r.data, 'd') + "\r\n";
  std::string wire;
  for (std::size_t i = 0; i < r.chunks; ++i) wire += chunk;
  auto const got = read_all(wire + "0\r\n\r\n", slice);
  CHECK(got.now == r.now);
  if (r.now == state::done) CHECK(got.body.size() == r.chunks * r.data);
}

TEST_CASE("zeros in front of a size are framing too") {
  std::string const chunk = std::string(2'000, '0') + "1\r\nx\r\n";
  std::string wire;
  for (int i = 0; i < 20; ++i) wire += chunk;
  CHECK(read_all(wire, 1'000).now == state::malformed);
}
